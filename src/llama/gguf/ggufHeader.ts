/** What a GGUF file says before its weights begin. */

/** Numbers of 64 bits that do not fit a JavaScript number stay `bigint`. */
export type GgufScalar = number | bigint | boolean | string;

export type GgufScalarType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'bool' | 'string' | 'u64' | 'i64' | 'f64';

/** An array. Its values are kept only when there are few; a vocabulary's 150,000 strings are stepped over. */
export interface GgufArray {
  readonly elementType: GgufScalarType;
  readonly length: number;
  readonly values?: readonly GgufScalar[];
}

export interface GgufEntry {
  readonly type: GgufScalarType | 'array';
  readonly value: GgufScalar | GgufArray;
}

export interface GgufTensor {
  readonly name: string;
  /** Fastest axis first, as ggml counts. */
  readonly dimensions: readonly number[];
  /** `F32`, `Q4_1`, … */
  readonly type: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly GgufTensor[];
  /** Bytes from the start of the file to the first weight. */
  readonly dataOffset: number;
  readonly fileBytes: number;
}

export function metadataString(header: GgufHeader, key: string): string | null {
  const value = header.metadata.get(key)?.value;
  return typeof value === 'string' ? value : null;
}

/** A whole number of any width, or null when it is absent or of another kind. */
export function metadataInteger(header: GgufHeader, key: string): number | null {
  const value = header.metadata.get(key)?.value;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

export function metadataBoolean(header: GgufHeader, key: string): boolean | null {
  const value = header.metadata.get(key)?.value;
  return typeof value === 'boolean' ? value : null;
}

export function metadataArray(header: GgufHeader, key: string): GgufArray | null {
  const value = header.metadata.get(key)?.value;
  return typeof value === 'object' ? value : null;
}
