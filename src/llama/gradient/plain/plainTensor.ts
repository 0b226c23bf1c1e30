/** Tensors as plain arrays of doubles, contiguous, fastest axis first as in ggml. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { Shape } from '../execution/emitter.ts';

export interface PlainTensor {
  readonly ne: Shape;
  readonly data: Float64Array;
}

export function elementCount(ne: Shape): number {
  return ne[0] * ne[1] * ne[2] * ne[3];
}

export function zeros(ne: Shape): PlainTensor {
  return { ne, data: new Float64Array(elementCount(ne)) };
}

/** Calls `visit` for every element in contiguous order. */
export function forEachElement(ne: Shape, visit: (index: number, x: number, y: number, z: number, w: number) => void): void {
  let index = 0;
  for (let w = 0; w < ne[3]; w++) {
    for (let z = 0; z < ne[2]; z++) for (let y = 0; y < ne[1]; y++) for (let x = 0; x < ne[0]; x++) visit(index++, x, y, z, w);
  }
}

/** Where an element of a tensor that is repeated to a larger shape comes from. */
export function repeatedIndex(ne: Shape, x: number, y: number, z: number, w: number): number {
  return (x % ne[0]) + ne[0] * ((y % ne[1]) + ne[1] * ((z % ne[2]) + ne[2] * (w % ne[3])));
}

/** The elements of a tensor that lies in memory as `header` says. */
export function fromMemory({ ne, nb }: TensorHeader, raw: Float32Array): PlainTensor {
  const result = zeros(ne);
  forEachElement(ne, (index, x, y, z, w) => {
    result.data[index] = raw[(x * nb[0] + y * nb[1] + z * nb[2] + w * nb[3]) / 4] as number;
  });
  return result;
}
