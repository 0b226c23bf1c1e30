import type { Model, RowResult } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';

/**
 * How hard each text is for the model to predict: −log-probability a token, nats, mean over all tokens but the first. A text of one
 * token has 0. @throws E_NUMERIC, and as `Model.forwardVariants`
 */
export async function textSurprise(model: Model, texts: readonly Int32Array[], signal: AbortSignal): Promise<number[]> {
  const variants = texts.map((tokens) => ({
    tokens,
    read: Array.from({ length: tokens.length - 1 }, (_, position) => ({ position, ids: [tokens[position + 1] as number] })),
  }));
  const results = await model.forwardVariants({ variants }, { signal });
  return results.map(({ read }) => {
    const surprise = read.length === 0 ? 0 : read.reduce((sum, row) => sum + surpriseOf(row), 0) / read.length;
    if (!Number.isFinite(surprise)) throw numeric('logits');
    return surprise;
  });
}

/** What that costs, in passes over a prompt of `length` tokens: every row is read, so nothing that texts share is left out. */
export function surprisePasses(texts: readonly Int32Array[], length: number): number {
  return texts.reduce((sum, text) => sum + text.length, 0) / length;
}

function surpriseOf({ logSumExp, logits }: RowResult): number {
  return logSumExp - (logits[0] ?? Number.NaN);
}
