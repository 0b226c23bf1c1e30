/** Log-probabilities out of rows of logits. */
import { answerTexts } from '../../attribution/answers.ts';
import type { Model, RowResult } from '../../model/model.ts';
import type { RankedToken } from '../../shared/protocol/engine.ts';

/** Nats of the row's asked token number `which`. */
export function logprobOf(row: RowResult, which = 0): number {
  return (row.logits[which] ?? Number.NaN) - row.logSumExp;
}

/** The most likely tokens of each row with their texts, best first; asks the model once for all rows. */
export async function topReadings(model: Model, rows: readonly RowResult[]): Promise<RankedToken[][]> {
  const ids = [...new Set(rows.flatMap((row) => row.top.map(({ id }) => id)))];
  const pieces = await answerTexts(model, ids);
  const text = new Map(ids.map((id, index) => [id, pieces[index] ?? '']));
  return rows.map((row) => row.top.map(({ id, logit }) => ({ id, text: text.get(id) ?? '', logprob: logit - row.logSumExp })));
}
