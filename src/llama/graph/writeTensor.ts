/** Writes fields of a `struct ggml_tensor`: how the forward graph is repeated node for node, and how our own operators get parameters. */
import koffi from 'koffi';
import type { Pointer } from '../native/functions.ts';
import { tensorOffsets } from '../native/structs.ts';
import { readTensorHeader, type TensorHeader } from './tensorHeader.ts';

const structType = koffi.array('uint8', tensorOffsets.size, 'Typed');
/** What ggml itself keeps at the front of a custom operator's parameters: function, tasks, data. */
const customParameterBytes = 24;

/** Reads the struct, lets `edit` change the copy, and writes it back. */
function editTensor(address: Pointer, edit: (view: DataView) => void): void {
  const bytes = koffi.decode(address, structType) as Uint8Array;
  edit(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  koffi.encode(address, structType, bytes);
}

export interface OperatorFields {
  /** Operator, parameters and strides are taken from here. */
  readonly like: TensorHeader;
  readonly sources: readonly Pointer[];
  readonly viewSource: Pointer;
  readonly viewOffset: number;
}

/** Makes a fresh tensor of the right shape the result of the same operation as another one, on other operands. */
export function writeOperator(address: Pointer, { like, sources, viewSource, viewOffset }: OperatorFields): TensorHeader {
  editTensor(address, (view) => {
    const long = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);
    like.nb.forEach((bytes, axis) => long(tensorOffsets.nb + 8 * axis, bytes));
    view.setInt32(tensorOffsets.operator, like.operator, true);
    for (let byte = 0; byte < 64; byte++) {
      view.setUint8(tensorOffsets.operatorParameters + byte, like.operatorParameters.getUint8(byte));
    }
    sources.forEach((source, index) => long(tensorOffsets.sources + 8 * index, source));
    long(tensorOffsets.viewSource, viewSource);
    long(tensorOffsets.viewOffset, viewOffset);
  });
  return readTensorHeader(address);
}

/** Copies the operator parameters of another tensor. */
export function copyParameters(address: Pointer, { operatorParameters }: TensorHeader): TensorHeader {
  editTensor(address, (view) => {
    for (let byte = 0; byte < 64; byte++)
      view.setUint8(tensorOffsets.operatorParameters + byte, operatorParameters.getUint8(byte));
  });
  return readTensorHeader(address);
}

/** @param write gets the parameter words behind those of ggml */
export function setCustomParameters(address: Pointer, write: (words: DataView) => void): TensorHeader {
  editTensor(address, (view) => {
    const start = view.byteOffset + tensorOffsets.operatorParameters + customParameterBytes;
    write(new DataView(view.buffer, start, 64 - customParameterBytes));
  });
  return readTensorHeader(address);
}
