/** Tensors whose values stand in float_data, int32_data and the like instead of raw_data. */
import { WireType } from '@bufbuild/protobuf/wire';
import { elementTypes } from '../graph/graph.ts';
import { type Field, varints } from './fields.ts';
import type { Source } from './source.ts';
import { bitsOf } from './tensorBytes.ts';

type TypedKind = 'float' | 'int32' | 'int64' | 'double' | 'uint64';

export interface TypedField {
  readonly kind: TypedKind;
  readonly field: Field;
}

export const typedFields: ReadonlyMap<number, TypedKind> = new Map([
  [4, 'float'],
  [5, 'int32'],
  [7, 'int64'],
  [10, 'double'],
  [11, 'uint64'],
]);

/**
 * The values as little-endian bytes, at most a little more than `length`.
 * @throws E_ONNX_CORRUPT when the field does not belong to the type
 */
export function typedBytes(source: Source, typed: readonly TypedField[], type: number, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (const { kind, field } of typed) {
    const part =
      kind === 'float' || kind === 'double' ? floatingBytes(source, kind, type, field) : wholeBytes(source, type, field);
    parts.push(part);
    total += part.length;
    if (total > length) break;
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function floatingBytes(source: Source, kind: 'float' | 'double', type: number, field: Field): Uint8Array {
  const fits = type === (kind === 'float' ? elementTypes.float32 : elementTypes.float64);
  const single = kind === 'float' ? WireType.Bit32 : WireType.Bit64;
  if (!fits || (field.wire !== single && field.wire !== WireType.LengthDelimited)) {
    throw source.corrupt(`${kind}_data at byte ${field.start} does not fit the type of its tensor`);
  }
  source.spend(field.end - field.start);
  return source.window.copy(field.start, field.end - field.start);
}

/** int32_data holds the bits of all narrow types, 4-bit pairs included: one stored number a byte there. */
function wholeBytes(source: Source, type: number, field: Field): Uint8Array {
  const bits = bitsOf(type);
  const floating = type === elementTypes.float32 || type === elementTypes.float64;
  if (bits === undefined || bits > 64 || floating)
    throw source.corrupt(`a list of numbers at byte ${field.start} does not fit the type of its tensor`);
  const width = Math.max(1, bits / 8);
  const values = varints(source, field);
  const view = new DataView(new ArrayBuffer(values.length * width));
  for (const [i, value] of values.entries()) {
    if (width === 8) view.setBigInt64(i * 8, BigInt.asIntN(64, value), true);
    else if (width === 4) view.setInt32(i * 4, Number(BigInt.asIntN(32, value)), true);
    else if (width === 2) view.setInt16(i * 2, Number(BigInt.asIntN(16, value)), true);
    else view.setInt8(i, Number(BigInt.asIntN(8, value)));
  }
  return new Uint8Array(view.buffer);
}
