import { elementTypes } from '../graph/graph.ts';

/** Bits of one element, by code of TensorProto.DataType. */
const elementBits = new Map<number, number>([
  [elementTypes.float32, 32],
  [elementTypes.uint8, 8],
  [elementTypes.int8, 8],
  [elementTypes.uint16, 16],
  [elementTypes.int16, 16],
  [elementTypes.int32, 32],
  [elementTypes.int64, 64],
  [elementTypes.bool, 8],
  [elementTypes.float16, 16],
  [elementTypes.float64, 64],
  [elementTypes.uint32, 32],
  [elementTypes.uint64, 64],
  [14, 64], // complex64
  [15, 128], // complex128
  [elementTypes.bfloat16, 16],
  [17, 8], // the four kinds of float8
  [18, 8],
  [19, 8],
  [20, 8],
  [elementTypes.uint4, 4],
  [elementTypes.int4, 4],
  [23, 4], // float4e2m1
  [24, 8], // float8e8m0
]);

export function bitsOf(type: number): number | undefined {
  return elementBits.get(type);
}

/** Bytes of a tensor as raw data; null for an unknown type, a negative dimension or a size no file can have. */
export function byteLength(dims: readonly number[], type: number): number | null {
  const bits = elementBits.get(type);
  if (bits === undefined || dims.some((dim) => dim < 0)) return null;
  const bytes = Math.ceil((dims.reduce((product, dim) => product * dim, 1) * bits) / 8);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
