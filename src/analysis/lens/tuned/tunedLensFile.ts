/** A tuned lens as the bytes of a safetensors file: maps as tensors, what was measured as metadata. */
import { safetensorsHeader, tensorData, type TensorEntry } from '../../safetensors.ts';
import type { TunedLens } from './tunedLens.ts';

/** Changes with the meaning of what is kept. */
const version = '1';

export function encodeTunedLens({ maps, tokens, plain, tuned }: TunedLens): Uint8Array {
  const entries = maps.flatMap(({ weights, bias }, layer) => [
    { name: `weights.${layer}`, shape: [bias.length, bias.length], values: weights },
    { name: `bias.${layer}`, shape: [bias.length], values: bias },
  ]);
  const metadata = { version, tokens: String(tokens), plain: JSON.stringify(plain), tuned: JSON.stringify(tuned) };
  const parts = [safetensorsHeader(entries, metadata), ...entries.map(({ values }) => tensorData(values))];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Null where the bytes are no tuned lens of a model of this size: it is then trained anew. */
export function decodeTunedLens(bytes: Uint8Array, layers: number, width: number): TunedLens | null {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, unknown>;
    const metadata = header.__metadata__ as Readonly<Record<string, string>>;
    if (metadata.version !== version) return null;
    const numbers = (text: string | undefined) => (JSON.parse(text ?? '[]') as number[]).map(Number);
    let at = 8 + length;
    const take = (entry: TensorEntry) => {
      const values = Float32Array.from({ length: entry.shape.reduce((product, size) => product * size, 1) }, (_, index) =>
        view.getFloat32(at + 4 * index, true),
      );
      at += 4 * values.length;
      return values;
    };
    const maps = Array.from({ length: layers - 1 }, (_, layer) => ({
      weights: take({ name: `weights.${layer}`, shape: [width, width] }),
      bias: take({ name: `bias.${layer}`, shape: [width] }),
    }));
    const isWhole =
      at === bytes.length && maps.every(({ weights, bias }) => [weights, bias].every((part) => part.every(Number.isFinite)));
    return isWhole
      ? { maps, tokens: Number(metadata.tokens), plain: numbers(metadata.plain), tuned: numbers(metadata.tuned) }
      : null;
  } catch {
    return null;
  }
}
