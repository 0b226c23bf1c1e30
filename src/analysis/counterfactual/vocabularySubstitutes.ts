/**
 * Substitutes out of the whole vocabulary (HotFlip, Ebrahimi et al. 2018, arXiv 1712.06751, section 3): every entry that spells a word is
 * scored at every word's place to first order, (e_w − e_t) · g_t, and the best of each word are kept. Embeddings are read block by block
 * and never held for the whole vocabulary.
 */
import type { Model } from '../../model/model.ts';
import { embeddingsAlone } from './embeddingsAlone.ts';
import type { EmbeddingGradient } from './firstOrder.ts';
import type { Substitute } from './substitutes.ts';
import { isSubstitute, type WordCore } from './wordEdits.ts';

/** Entries kept for each word, the most promising ones. */
export const keptPerWord = 10;

/** Tokens whose embeddings are in memory at the same time. */
const blockTokens = 2048;

export interface VocabularyChoice {
  /** Each with the fall of the margin it should give, logits. */
  readonly substitutes: readonly (Substitute & { readonly predicted: number })[];
  /** Vocabulary entries × words that were scored. */
  readonly scored: number;
}

/** @param ids the prompt's tokens @throws as `embeddingsAlone` */
export async function vocabularySubstitutes(
  model: Model,
  ids: Int32Array,
  text: string,
  cores: readonly WordCore[],
  { contributions, gradient }: EmbeddingGradient,
  signal: AbortSignal,
  onBlock: (done: number, total: number) => void = () => undefined,
): Promise<VocabularyChoice> {
  const { vocabulary, hidden, contextLength } = model.info;
  const block = Math.min(blockTokens, contextLength, vocabulary);
  const best = cores.map(() => [] as { id: number; text: string; predicted: number }[]);
  // At one and the same position, so that embeddings of positions cancel.
  const now = new Map<number, Float32Array>();
  for (const { tokens } of cores) {
    const id = ids[tokens[0] ?? 0] as number;
    if (!now.has(id)) now.set(id, await embeddingsAlone(model, new Int32Array(block).fill(id), signal));
  }
  let scored = 0;
  for (let first = 0; first < vocabulary; first += block) {
    const entries = Array.from({ length: Math.min(block, vocabulary - first) }, (_, index) => first + index);
    const embeddings = await embeddingsAlone(model, Int32Array.from(entries), signal);
    const pieces = await model.tokenizer.pieces(entries);
    for (const [index, core] of cores.entries()) {
      const [start = 0, ...others] = core.tokens;
      const was = text.slice(core.start, core.end);
      const own = now.get(ids[start] as number) as Float32Array;
      const gone = others.reduce((sum, token) => sum + (contributions[token] as number), 0);
      const kept = best[index] as { id: number; text: string; predicted: number }[];
      for (const [row, id] of entries.entries()) {
        const piece = pieces[row] ?? '';
        if (!isSubstitute(piece, was, core.hasSpace)) continue;
        let change = 0;
        for (let at = 0; at < hidden; at++) {
          const moved = (embeddings[row * hidden + at] as number) - (own[row * hidden + at] as number);
          change += moved * (gradient.data[start * hidden + at] as number);
        }
        scored++;
        keepBest(kept, { id, text: piece.trimStart(), predicted: gone - change });
      }
    }
    onBlock(Math.min(vocabulary, first + block), vocabulary);
  }
  return { substitutes: cores.flatMap((core, index) => (best[index] ?? []).map((found) => ({ core, ...found }))), scored };
}

/** The list stays in order, the largest first, and no longer than {@link keptPerWord}. */
function keepBest<T extends { readonly predicted: number }>(kept: T[], candidate: T): void {
  if (kept.length === keptPerWord && candidate.predicted <= (kept.at(-1)?.predicted ?? -Infinity)) return;
  const place = kept.findIndex(({ predicted }) => predicted < candidate.predicted);
  kept.splice(place < 0 ? kept.length : place, 0, candidate);
  if (kept.length > keptPerWord) kept.pop();
}
