import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { isSubstitute, type WordCore } from './wordEdits.ts';

/** Alternatives of the model looked at for each word. */
const proposalsPerWord = 40;

export interface Substitute {
  readonly core: WordCore;
  /** The token that is proposed. */
  readonly id: number;
  /** Its text without the space before it. */
  readonly text: string;
}

/**
 * What the model itself would have written in the place of each word, given only what stands before it: the single tokens among its most
 * likely ones that spell a word. A word at the very beginning has none. One forward pass.
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function proposedSubstitutes(
  model: Model,
  ids: Int32Array,
  text: string,
  cores: readonly WordCore[],
  signal: AbortSignal,
): Promise<Substitute[]> {
  const placed = cores.filter(({ tokens }) => (tokens[0] ?? 0) > 0);
  if (placed.length === 0) return [];
  const top = Math.min(proposalsPerWord, model.info.vocabulary);
  const { read, nonFinite } = await model.forward(
    { tokens: ids, read: placed.map(({ tokens }) => ({ position: (tokens[0] as number) - 1, ids: [], top })) },
    { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  const pieces = new Map<number, string>();
  const asked = [...new Set(read.flatMap((row) => row.top.map(({ id }) => id)))];
  (await model.tokenizer.pieces(asked)).forEach((piece, index) => pieces.set(asked[index] as number, piece));
  return placed.flatMap((core, index) =>
    (read[index]?.top ?? []).flatMap(({ id }): Substitute[] => {
      const piece = pieces.get(id) ?? '';
      if (!isSubstitute(piece, text.slice(core.start, core.end), core.hasSpace)) return [];
      return [{ core, id, text: piece.trimStart() }];
    }),
  );
}
