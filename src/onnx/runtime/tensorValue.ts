/** Tensors that go into ONNX Runtime and come out of it, without its types. */
import { elementTypes } from '../graph/graph.ts';

export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface TensorValue {
  /** Code of `elementTypes`. float16 and bfloat16 are bits in a Uint16Array, bool is a Uint8Array. */
  readonly type: number;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Names of ONNX Runtime, arrays of JavaScript. */
const typeTable = [
  { name: 'float32', array: Float32Array },
  { name: 'float64', array: Float64Array },
  { name: 'int64', array: BigInt64Array },
  { name: 'uint64', array: BigUint64Array },
  { name: 'int32', array: Int32Array },
  { name: 'uint32', array: Uint32Array },
  { name: 'int16', array: Int16Array },
  { name: 'uint16', array: Uint16Array },
  { name: 'int8', array: Int8Array },
  { name: 'uint8', array: Uint8Array },
  { name: 'bool', array: Uint8Array },
  { name: 'float16', array: Uint16Array },
  { name: 'int4', array: Int8Array },
  { name: 'uint4', array: Uint8Array },
] as const;

export type RuntimeTypeName = (typeof typeTable)[number]['name'];

export function runtimeTypeName(type: number): RuntimeTypeName | null {
  return typeTable.find(({ name }) => elementTypes[name] === type)?.name ?? null;
}

export function typeOfRuntimeName(name: string): number {
  return typeTable.some((entry) => entry.name === name) ? elementTypes[name as RuntimeTypeName] : 0;
}

/** A tensor of `count` numbers made by `value`; for float16 only 0 and 1 can be written. */
export function filledData(type: number, count: number, value: (index: number) => number): TensorData | null {
  if (type === elementTypes.float16) return Uint16Array.from({ length: count }, (_, i) => (value(i) === 0 ? 0 : 0x3c00));
  const array = typeTable.find(({ name }) => elementTypes[name] === type)?.array;
  if (array === undefined) return null;
  const data: TensorData = new array(count);
  for (let i = 0; i < count; i++)
    data[i] = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(value(i)) : value(i);
  return data;
}

/**
 * Little-endian bytes of a tensor as an array of its type (a copy: the bytes may stand unaligned).
 * Null for types JavaScript has no array for.
 */
export function dataFromBytes(type: number, bytes: Uint8Array): TensorData | null {
  const array = typeTable.find(({ name }) => elementTypes[name] === type)?.array;
  if (array === undefined || type === elementTypes.int4 || type === elementTypes.uint4) return null;
  return new array(bytes.slice().buffer);
}
