import type { FileHandle } from 'node:fs/promises';
import { modelCorrupt, modelMagic, modelTruncated } from '../../shared/errorCatalog.ts';
import { FileCursor } from './fileCursor.ts';
import { metadataInteger } from './ggufHeader.ts';
import type { GgufArray, GgufEntry, GgufHeader, GgufScalar, GgufScalarType, GgufTensor } from './ggufHeader.ts';
import { tensorTypes } from './tensorTypes.ts';

/** Far above any real file, far below what would hurt. */
const limits = {
  entries: 65_536,
  tensors: 262_144,
  keyBytes: 65_535,
  /** ggml keeps names in 64 bytes. */
  tensorNameBytes: 63,
  /** The longest real strings are chat templates and licences. */
  stringBytes: 8 * 1024 * 1024,
  arrayLength: 2 ** 31 - 1,
  keptArrayLength: 1_024,
  /** Four times the largest vocabulary known. */
  tokens: 1_048_576,
  tokenBytes: 65_536,
  keptStringBytes: 4_096,
  dimensions: 4,
};

const scalarTypes: readonly (GgufScalarType | 'array')[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
];

const scalarBytes: Readonly<Record<Exclude<GgufScalarType, 'string'>, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
};

function safeInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

const decoders: Readonly<Record<Exclude<GgufScalarType, 'string'>, (bytes: Buffer) => GgufScalar>> = {
  u8: (bytes) => bytes.readUInt8(0),
  i8: (bytes) => bytes.readInt8(0),
  u16: (bytes) => bytes.readUInt16LE(0),
  i16: (bytes) => bytes.readInt16LE(0),
  u32: (bytes) => bytes.readUInt32LE(0),
  i32: (bytes) => bytes.readInt32LE(0),
  f32: (bytes) => bytes.readFloatLE(0),
  bool: (bytes) => bytes.readUInt8(0) !== 0,
  u64: (bytes) => safeInteger(bytes.readBigUInt64LE(0)),
  i64: (bytes) => safeInteger(bytes.readBigInt64LE(0)),
  f64: (bytes) => bytes.readDoubleLE(0),
};

/**
 * Reads the header of a GGUF file (versions 2 and 3, little-endian) and checks that every tensor lies inside the file.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @throws E_MODEL_MAGIC, E_MODEL_CORRUPT, E_MODEL_TRUNCATED
 */
export async function readGgufHeader(handle: FileHandle, path: string, fileBytes: number): Promise<GgufHeader> {
  const cursor = new FileCursor(handle, path, fileBytes);
  const version = await readVersion(cursor, path);
  const tensorCount = await cursor.count(limits.tensors, 'tensors');
  const entryCount = await cursor.count(limits.entries, 'metadata entries');
  const metadata = await readMetadata(cursor, path, entryCount);
  const partial: GgufHeader = { version, metadata, tensors: [], dataOffset: 0, fileBytes };
  const alignment = metadataInteger(partial, 'general.alignment') ?? 32;
  if (alignment < 1 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0) {
    throw modelCorrupt(path, `its alignment is ${alignment}`);
  }
  const relative = await readTensors(cursor, path, tensorCount, alignment);
  const dataOffset = alignUp(cursor.position, alignment);
  const tensors = relative.map((tensor) => ({ ...tensor, offset: dataOffset + tensor.offset }));
  const last = tensors.at(-1);
  const end = last === undefined ? 0 : last.offset + last.bytes;
  if (end > fileBytes) throw modelTruncated(path, end, fileBytes);
  return { version, metadata, tensors, dataOffset, fileBytes };
}

async function readVersion(cursor: FileCursor, path: string): Promise<number> {
  // A file shorter than the magic number is told apart from a truncated model by what little it has.
  await cursor.load(Math.min(4, cursor.fileBytes));
  const magic = cursor.take(Math.min(4, cursor.fileBytes)).toString('latin1');
  if (magic !== 'GGUF' && !(magic.length < 4 && 'GGUF'.startsWith(magic))) throw modelMagic(path, magic);
  const version = await cursor.u32();
  if (version === 2 || version === 3) return version;
  const reason =
    version === 0x0200_0000 || version === 0x0300_0000
      ? 'it was written for a big-endian machine'
      : `its GGUF version is ${version}`;
  throw modelCorrupt(path, `${reason}; versions 2 and 3, little-endian, are supported`);
}

async function readMetadata(cursor: FileCursor, path: string, count: number): Promise<Map<string, GgufEntry>> {
  const metadata = new Map<string, GgufEntry>();
  for (let index = 0; index < count; index++) {
    const key = await cursor.string(limits.keyBytes, 'a metadata key');
    if (metadata.has(key)) throw modelCorrupt(path, 'a metadata key occurs twice');
    const type = scalarTypes[await cursor.u32()];
    if (type === undefined) throw modelCorrupt(path, 'a metadata entry has an unknown type');
    const value = type === 'array' ? await readArray(cursor, path, key) : await readScalar(cursor, type, limits.stringBytes);
    metadata.set(key, { type, value });
  }
  return metadata;
}

async function readScalar(cursor: FileCursor, type: GgufScalarType, stringBytes: number): Promise<GgufScalar> {
  if (type === 'string') return await cursor.string(stringBytes, 'a metadata string');
  const bytes = scalarBytes[type];
  await cursor.load(bytes);
  return decoders[type](cursor.take(bytes));
}

async function readArray(cursor: FileCursor, path: string, key: string): Promise<GgufArray> {
  const elementType = scalarTypes[await cursor.u32()];
  if (elementType === undefined || elementType === 'array') throw modelCorrupt(path, 'an array has an unsupported element type');
  const length = await cursor.count(limits.arrayLength, 'array elements');
  // A string takes at least its eight-byte length.
  const leastBytes = length * (elementType === 'string' ? 8 : scalarBytes[elementType]);
  if (leastBytes > cursor.remaining) throw modelTruncated(path, cursor.position + leastBytes, cursor.fileBytes);
  if (key === 'tokenizer.ggml.tokens' && elementType === 'string') {
    await checkTokens(cursor, path, length);
    return { elementType, length };
  }
  if (length > limits.keptArrayLength || elementType === 'string') {
    if (elementType === 'string') await cursor.skipStrings(length, limits.stringBytes, 'an array');
    else cursor.skip(leastBytes);
    return { elementType, length };
  }
  const values: GgufScalar[] = [];
  for (let index = 0; index < length; index++) values.push(await readScalar(cursor, elementType, limits.keptStringBytes));
  return { elementType, length, values };
}

/** llama.cpp ends the process when two tokens are spelled alike. */
async function checkTokens(cursor: FileCursor, path: string, count: number): Promise<void> {
  if (count > limits.tokens) throw modelCorrupt(path, `it claims a vocabulary of ${count} tokens`);
  if (await cursor.hasEqualStrings(count, limits.tokenBytes, 'the vocabulary')) {
    throw modelCorrupt(path, 'two tokens of its vocabulary are spelled alike');
  }
}

/** Tensor infos, offsets still relative to the first weight. */
async function readTensors(cursor: FileCursor, path: string, count: number, alignment: number): Promise<GgufTensor[]> {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  let expectedOffset = 0;
  for (let index = 0; index < count; index++) {
    const name = await cursor.string(limits.tensorNameBytes, 'a tensor name');
    if (names.has(name)) throw modelCorrupt(path, 'two tensors have the same name');
    names.add(name);
    const dimensions = await readDimensions(cursor, path);
    const typeNumber = await cursor.u32();
    const type = tensorTypes.get(typeNumber);
    if (type === undefined) throw modelCorrupt(path, `a tensor has the unknown type ${typeNumber}`);
    const row = dimensions[0] ?? 1;
    if (row % type.blockElements !== 0) {
      throw modelCorrupt(path, `a tensor's rows of ${row} do not divide into ${type.name} blocks of ${type.blockElements}`);
    }
    const elements = dimensions.reduce((product, size) => product * size, 1);
    const bytes = (elements / type.blockElements) * type.blockBytes;
    const offset = await cursor.count(Number.MAX_SAFE_INTEGER, 'as the offset of a tensor');
    // ggml lays tensors out one after another and refuses gaps; so overlaps cannot occur either.
    if (offset !== expectedOffset) throw modelCorrupt(path, `a tensor starts at ${offset} where ${expectedOffset} is due`);
    expectedOffset = alignUp(offset + bytes, alignment);
    if (!Number.isSafeInteger(expectedOffset)) throw modelCorrupt(path, 'a tensor is absurdly large');
    tensors.push({ name, dimensions, type: type.name, offset, bytes });
  }
  return tensors;
}

async function readDimensions(cursor: FileCursor, path: string): Promise<number[]> {
  const count = await cursor.u32();
  if (count > limits.dimensions) throw modelCorrupt(path, `a tensor has ${count} dimensions`);
  const dimensions: number[] = [];
  let elements = 1;
  for (let axis = 0; axis < count; axis++) {
    const size = await cursor.count(Number.MAX_SAFE_INTEGER, 'elements along one axis of a tensor');
    elements *= size;
    if (size < 1 || !Number.isSafeInteger(elements)) throw modelCorrupt(path, `a tensor has an axis of ${size} elements`);
    dimensions.push(size);
  }
  return dimensions;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
