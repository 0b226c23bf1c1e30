/** The fields of a `struct ggml_tensor` that we read, copied out of native memory. */
import koffi from 'koffi';
import type { Pointer } from '../native/functions.ts';
import { tensorOffsets } from '../native/structs.ts';

export interface TensorHeader {
  readonly address: Pointer;
  /** 0 = F32. */
  readonly type: number;
  /** Elements along each axis, fastest first: the reverse of our shapes. */
  readonly ne: readonly [number, number, number, number];
  /** Bytes between neighbours along each axis. */
  readonly nb: readonly [number, number, number, number];
  readonly operator: number;
  readonly operatorParameters: DataView;
  readonly sources: readonly Pointer[];
  readonly name: string;
}

const structType = koffi.array('uint8', tensorOffsets.size, 'Typed');
const text = new TextDecoder('latin1');

export function readTensorHeader(address: Pointer): TensorHeader {
  const bytes = koffi.decode(address, structType) as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = (offset: number) => Number(view.getBigUint64(offset, true));
  const four = (offset: number) => [long(offset), long(offset + 8), long(offset + 16), long(offset + 24)] as const;
  const sources: Pointer[] = [];
  for (let index = 0; index < tensorOffsets.sourceCount; index++) {
    const source = long(tensorOffsets.sources + 8 * index);
    if (source === 0) break;
    sources.push(source);
  }
  const name = bytes.subarray(tensorOffsets.name, tensorOffsets.name + tensorOffsets.nameLength);
  const end = name.indexOf(0);
  return {
    address,
    type: view.getInt32(tensorOffsets.type, true),
    ne: four(tensorOffsets.ne),
    nb: four(tensorOffsets.nb),
    operator: view.getInt32(tensorOffsets.operator, true),
    operatorParameters: new DataView(bytes.buffer, bytes.byteOffset + tensorOffsets.operatorParameters, 64),
    sources,
    name: text.decode(end < 0 ? name : name.subarray(0, end)),
  };
}

/** Bytes from the first element to behind the last one, gaps included. */
export function tensorSpan({ ne, nb }: TensorHeader): number {
  return ne.reduce((bytes, count, axis) => bytes + (count - 1) * (nb[axis] as number), 4);
}
