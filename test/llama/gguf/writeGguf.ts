/** A small GGUF writer for tests: version 3, little-endian, metadata and F32 tensors. */
type TestScalarType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'bool' | 'string' | 'u64' | 'i64' | 'f64';

const typeNumbers: Readonly<Record<TestScalarType | 'array', number>> = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
};

export type TestEntry =
  | readonly [key: string, type: TestScalarType, value: number | bigint | boolean | string]
  | readonly [key: string, type: 'array', elementType: TestScalarType, values: readonly (number | boolean | string)[]];

interface TestTensor {
  readonly name: string;
  /** Fastest axis first. */
  readonly dimensions: readonly number[];
  readonly values: Float32Array;
}

interface TestFile {
  readonly metadata: readonly TestEntry[];
  readonly tensors?: readonly TestTensor[];
}

const alignment = 32;

export function writeGguf(file: TestFile): Buffer {
  const tensors = file.tensors ?? [];
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(file.metadata.length)];
  for (const entry of file.metadata) {
    parts.push(text(entry[0]), u32(typeNumbers[entry[1]]));
    if (entry[1] === 'array') {
      const [, , elementType, values] = entry;
      parts.push(u32(typeNumbers[elementType]), u64(values.length), ...values.map((value) => scalar(elementType, value)));
    } else {
      parts.push(scalar(entry[1], entry[2]));
    }
  }
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(text(tensor.name), u32(tensor.dimensions.length), ...tensor.dimensions.map(u64), u32(0), u64(offset));
    offset = alignUp(offset + tensor.values.byteLength);
  }
  parts.push(padding(parts));
  for (const tensor of tensors) {
    const bytes = Buffer.from(tensor.values.buffer, tensor.values.byteOffset, tensor.values.byteLength);
    parts.push(bytes, Buffer.alloc(alignUp(bytes.length) - bytes.length));
  }
  return Buffer.concat(parts);
}

function padding(parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.alloc(alignUp(length) - length);
}

function alignUp(value: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u64(bytes.length), bytes]);
}

function scalar(type: TestScalarType, value: number | bigint | boolean | string): Buffer {
  const bytes = Buffer.alloc(type.endsWith('64') ? 8 : type.endsWith('32') ? 4 : type.endsWith('16') ? 2 : 1);
  switch (type) {
    case 'string':
      return text(String(value));
    case 'u64':
      bytes.writeBigUInt64LE(BigInt(value));
      break;
    case 'i64':
      bytes.writeBigInt64LE(BigInt(value));
      break;
    case 'f32':
      bytes.writeFloatLE(Number(value));
      break;
    case 'f64':
      bytes.writeDoubleLE(Number(value));
      break;
    case 'u8':
    case 'u16':
    case 'u32':
      bytes.writeUIntLE(Number(value), 0, bytes.length);
      break;
    case 'i8':
    case 'i16':
    case 'i32':
      bytes.writeIntLE(Number(value), 0, bytes.length);
      break;
    case 'bool':
      bytes.writeUInt8(value ? 1 : 0);
      break;
  }
  return bytes;
}
