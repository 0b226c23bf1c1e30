/**
 * The safetensors format, F32 only: eight bytes with the length of a JSON header, the header, then the tensors one after
 * another, little-endian, row-major (https://github.com/huggingface/safetensors). The header comes first, so shapes must be
 * known before the data.
 */
import { endianness } from 'node:os';

export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
}

export function tensorBytes({ shape }: TensorEntry): number {
  return 4 * shape.reduce((product, size) => product * size, 1);
}

/** The file's beginning, padded with spaces so that the data starts at a multiple of eight. */
export function safetensorsHeader(tensors: readonly TensorEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let offset = 0;
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  for (const tensor of tensors) {
    const end = offset + tensorBytes(tensor);
    entries.push([tensor.name, { dtype: 'F32', shape: tensor.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** A tensor's values as the file holds them. */
export function tensorData(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (endianness() === 'LE') return bytes;
  const swapped = new Uint8Array(bytes.length);
  const view = new DataView(swapped.buffer);
  values.forEach((value, index) => {
    view.setFloat32(4 * index, value, true);
  });
  return swapped;
}
