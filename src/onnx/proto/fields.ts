/** The wire format of protocol buffers: messages are lists of numbered fields, each a number or a stretch of bytes. */
import { WireType } from '@bufbuild/protobuf/wire';
import type { Source } from './source.ts';

/** A stretch of the file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Field extends Span {
  readonly number: number;
  readonly wire: WireType;
  /** The value of a varint; 0 for others. */
  readonly value: bigint;
}

/** Longest varint, and longest tag with a length after it. */
const varintBytes = 10;
const headerBytes = 2 * varintBytes;

/**
 * The fields of the message in `span`, in the order of the file; content of fields is not read.
 * @throws E_ONNX_CORRUPT for truncated varints, groups, and lengths past the end of the message
 */
export function* fields(source: Source, span: Span): Generator<Field> {
  let position = span.start;
  while (position < span.end) {
    const field = readField(source, position, span.end);
    position = field.end;
    yield field;
  }
}

function readField(source: Source, position: number, limit: number): Field {
  const { window } = source;
  const reader = window.readerAt(position, headerBytes);
  const [number, wire] = guarded(source, () => reader.tag());
  let value = 0n;
  let length = 0;
  if (wire === WireType.Varint) value = guarded(source, () => BigInt(reader.int64()));
  else if (wire === WireType.LengthDelimited) length = guarded(source, () => reader.uint32());
  else if (wire === WireType.Bit32) length = 4;
  else if (wire === WireType.Bit64) length = 8;
  else throw source.corrupt(`field ${number} at byte ${position} has the wire type ${wire}, which ONNX does not use`);
  const start = window.position(reader);
  const end = start + length;
  if (end > limit)
    throw source.corrupt(`field ${number} at byte ${position} reaches ${end - limit} bytes past the end of its message`);
  return { number, wire, start, end, value };
}

/** Values of a repeated number, packed or not. */
export function varints(source: Source, field: Field): bigint[] {
  if (field.wire === WireType.Varint) return [field.value];
  bytesOf(source, field);
  const values: bigint[] = [];
  let position = field.start;
  while (position < field.end) {
    source.spend(1);
    const reader = source.window.readerAt(position, varintBytes);
    values.push(guarded(source, () => BigInt(reader.int64())));
    position = source.window.position(reader);
  }
  if (position > field.end) throw source.corrupt(`a number at byte ${field.end} is cut off`);
  return values;
}

/** @throws E_ONNX_CORRUPT unless the field is a number */
export function varint(source: Source, field: Field): bigint {
  if (field.wire !== WireType.Varint) throw source.corrupt(`field ${field.number} at byte ${field.start} is not a number`);
  return field.value;
}

/** A number that is a code, a count or a flag. */
export function whole(source: Source, field: Field): number {
  return clampToSafe(varint(source, field));
}

/** 64-bit numbers beyond ±(2^53 − 1), which exporters write to mean “to the end”, become the largest exact number. */
export function clampToSafe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  return value < BigInt(Number.MIN_SAFE_INTEGER) ? Number.MIN_SAFE_INTEGER : Number(value);
}

/** The field as a stretch of bytes. @throws E_ONNX_CORRUPT for a number */
export function bytesOf(source: Source, field: Field): Span {
  if (field.wire !== WireType.LengthDelimited) {
    throw source.corrupt(`field ${field.number} at byte ${field.start} is not a message, a text or bytes`);
  }
  return field;
}

/** Values of a repeated 32-bit float, packed or not. */
export function floats(source: Source, field: Field): number[] {
  if (field.wire === WireType.Varint || field.wire === WireType.Bit64 || (field.end - field.start) % 4 !== 0) {
    throw source.corrupt(`field ${field.number} at byte ${field.start} does not hold 32-bit floats`);
  }
  source.spend((field.end - field.start) / 4);
  const bytes = source.window.copy(field.start, field.end - field.start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

const nameLimit = 65_536;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws E_ONNX_CORRUPT for text that is not UTF-8, or longer than any name */
export function text(source: Source, field: Field): string {
  const { start, end } = bytesOf(source, field);
  source.spend(1);
  if (end - start > nameLimit) throw source.corrupt(`a name at byte ${start} has ${end - start} bytes`);
  try {
    return utf8.decode(source.window.copy(start, end - start));
  } catch {
    throw source.corrupt(`a name at byte ${start} is not UTF-8`);
  }
}

function guarded<T>(source: Source, read: () => T): T {
  try {
    return read();
  } catch {
    throw source.corrupt('a number or a field number in it is cut off or too long');
  }
}
