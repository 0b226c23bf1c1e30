import type { Model } from '../../model/model.ts';
import { seededRandom } from '../../attribution/seededRandom.ts';
import type { TokenGroups } from './patternStatistics.ts';

/**
 * Random tokens, each once, and then the same again: what an induction head is known by (Olsson et al. 2022, arXiv 2209.11895), since
 * nothing but the repetition tells what follows. Control tokens that the vocabulary names are left out.
 * @param length tokens of the half that is repeated; fewer where the vocabulary or the context is small
 */
export async function repeatedSequence({ info, tokenizer }: Model, length: number, seed: number): Promise<Int32Array> {
  const { bos, eos, endOfGeneration } = await tokenizer.special();
  const control = new Set<number | null>([bos, eos, ...endOfGeneration]);
  const half = Math.min(length, Math.floor(info.contextLength / 2), Math.floor(info.vocabulary / 2));
  const random = seededRandom(seed);
  const chosen = new Set<number>();
  while (chosen.size < half) {
    const id = Math.floor(random() * info.vocabulary);
    if (!control.has(id)) chosen.add(id);
  }
  return Int32Array.from([...chosen, ...chosen]);
}

/** A sequence that is no text: every token is a word, a sentence and a section of its own. */
export function ungrouped(ids: Int32Array): TokenGroups {
  const each = Int32Array.from(ids, (_, index) => index);
  return { ids, words: each, sentences: each, sections: each, headings: new Int8Array(ids.length) };
}
