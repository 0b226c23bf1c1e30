import type { CallOptions, Model } from '../../model/model.ts';
import { embeddingsOf } from './embeddingPath.ts';

const candidates = 2000;
/** Tokens that one forward pass reads. */
const chunkTokens = 512;

/** The tokens with the lowest ids: vocabularies are numbered about in the order in which their pieces were found to be common. */
export function commonTokens({ info }: Pick<Model, 'info'>): number[] {
  return Array.from({ length: Math.min(candidates, info.vocabulary) }, (_, id) => id);
}

/**
 * Embeddings of any tokens minus that of the token `empty`, read off forward passes. The difference is taken at one position, so that
 * a learned position embedding cancels.
 * @returns offsets: [ids][D]; evaluatedTokens: how many tokens the passes read
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function embeddingOffsets(
  model: Model,
  ids: readonly number[],
  empty: number,
  { signal }: CallOptions,
): Promise<{ readonly offsets: Float32Array[]; readonly evaluatedTokens: number }> {
  const chunk = Math.min(chunkTokens, model.info.contextLength, ids.length);
  const { data: base } = await embeddingsOf(model, new Int32Array(chunk).fill(empty), signal);
  const offsets: Float32Array[] = [];
  const width = base.length / chunk;
  for (let first = 0; first < ids.length; first += chunk) {
    const { data } = await embeddingsOf(model, Int32Array.from(ids.slice(first, first + chunk)), signal);
    const difference = data.map((value, at) => value - (base[at] as number));
    for (let at = 0; at < difference.length; at += width) offsets.push(difference.slice(at, at + width));
  }
  return { offsets, evaluatedTokens: chunk + ids.length };
}
