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
  /** 0 where an optional operand is left out. */
  readonly sources: readonly Pointer[];
  /** Where its memory belongs; 0 = none yet. */
  readonly buffer: Pointer;
  /** The tensor it is a view of, already followed to the root; 0 = none. */
  readonly viewSource: Pointer;
  /** Bytes into the root's data. */
  readonly viewOffset: number;
  readonly data: Pointer;
  readonly flags: number;
  readonly name: string;
}

export const float32 = 0;

const structType = koffi.array('uint8', tensorOffsets.size, 'Typed');
const text = new TextDecoder('latin1');

export function readTensorHeader(address: Pointer): TensorHeader {
  const bytes = koffi.decode(address, structType) as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Two halves are three times as quick to read as a BigInt; addresses and sizes stay below 2^53.
  const long = (offset: number) => view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
  const four = (offset: number) => [long(offset), long(offset + 8), long(offset + 16), long(offset + 24)] as const;
  const sources: Pointer[] = [];
  for (let index = 0; index < tensorOffsets.sourceCount; index++) {
    sources.push(long(tensorOffsets.sources + 8 * index));
  }
  while (sources.at(-1) === 0) sources.pop();
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
    buffer: long(tensorOffsets.buffer),
    viewSource: long(tensorOffsets.viewSource),
    viewOffset: long(tensorOffsets.viewOffset),
    data: long(tensorOffsets.data),
    flags: view.getInt32(tensorOffsets.flags, true),
    name: text.decode(end < 0 ? name : name.subarray(0, end)),
  };
}

/** Bytes from the first element to behind the last one, gaps included. */
export function tensorSpan({ ne, nb }: TensorHeader): number {
  return ne.reduce((bytes, count, axis) => bytes + (count - 1) * (nb[axis] as number), 4);
}
