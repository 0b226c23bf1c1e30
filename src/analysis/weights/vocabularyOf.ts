import type { Model } from '../../model/model.ts';
import { callOptions } from '../activations/captureSites.ts';

export interface TokenLogit {
  readonly id: number;
  readonly text: string;
  /** Of the vector blown up to the size the last norm gives; only the order means something across vectors. */
  readonly logit: number;
}

/** What a vector that is written into the residual stream says for and against. */
export interface WrittenTokens {
  readonly top: readonly TokenLogit[];
  readonly bottom: readonly TokenLogit[];
  /** Rank of the token asked for, 1 = most favoured; null where none was. */
  readonly rank: number | null;
}

/**
 * Directions [N, D] seen through the last norm and the unembedding, what zeros give (the norm's bias) taken off.
 * @param asked a token for each direction whose rank is wanted
 * @throws as `Model.unembed`
 */
export async function vocabularyOf(
  model: Model,
  directions: Float32Array,
  count: number,
  options: { readonly asked?: readonly number[]; readonly signal?: AbortSignal } = {},
): Promise<WrittenTokens[]> {
  const { hidden } = model.info;
  const rows = new Float32Array(hidden + directions.length);
  rows.set(directions, hidden);
  const read = Array.from({ length: directions.length / hidden }, (_, index) => {
    const id = options.asked?.[index];
    return { top: count, bottom: count, minus: 0, ...(id === undefined ? {} : { ids: [id] }) };
  });
  const [, ...results] = await model.unembed({ rows, read: [{}, ...read] }, callOptions(options.signal));
  const ids = [...new Set(results.flatMap(({ top, bottom }) => [...top, ...bottom].map(({ id }) => id)))];
  const pieces = await model.tokenizer.pieces(ids);
  const texts = new Map(ids.map((id, index) => [id, pieces[index] ?? '']));
  const named = ({ id, logit }: { readonly id: number; readonly logit: number }) => ({ id, text: texts.get(id) ?? '', logit });
  return results.map(({ top, bottom, ranks }) => ({ top: top.map(named), bottom: bottom.map(named), rank: ranks[0] ?? null }));
}
