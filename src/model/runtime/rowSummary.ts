/** What a caller reads from one row of logits, without taking the row itself. */
import type { RowRead, RowResult } from '../model.ts';
import { logSumExp } from '../logSumExp.ts';

/** @param row [vocabulary] logits */
export function summariseRow(row: Float32Array, read: RowRead): RowResult {
  const total = logSumExp(row);
  return {
    position: read.position,
    logSumExp: total,
    logits: Float32Array.from(read.ids, (id) => row[id] ?? Number.NaN),
    ranks: Int32Array.from(read.ids, (id) => rankOf(row, id)),
    top: topLogits(row, read.top ?? 0),
    ...(read.entropy === undefined ? {} : { entropy: entropyOf(row, total) }),
    ...(read.reference === undefined ? {} : { divergence: divergenceFrom(row, total, read.reference) }),
    ...(read.weights === undefined ? {} : { weighted: weightedSum(row, read.weights) }),
  };
}

/** −Σ p log p, nats; a token that cannot follow adds nothing. */
function entropyOf(row: Float32Array, total: number): number {
  let sum = 0;
  for (const logit of row) {
    const logprob = logit - total;
    const probability = Math.exp(logprob);
    if (probability > 0) sum -= probability * logprob;
  }
  return sum;
}

/** KL(row ‖ reference), nats. @param reference [V] probabilities */
function divergenceFrom(row: Float32Array, total: number, reference: Float32Array): number {
  let sum = 0;
  for (let id = 0; id < row.length; id++) {
    const logprob = (row[id] as number) - total;
    const probability = Math.exp(logprob);
    if (probability > 0) sum += probability * (logprob - Math.log(reference[id] as number));
  }
  return sum;
}

function weightedSum(row: Float32Array, weights: Float32Array): number {
  return weights.reduce((sum, weight, id) => sum + weight * (row[id] as number), 0);
}

/** 1 = most likely; of equal logits the lower id comes first. */
export function rankOf(row: Float32Array, id: number): number {
  const logit = row[id] ?? Number.NaN;
  let [above, same] = [0, 0];
  for (let other = 0; other < row.length; other++) {
    above += Number((row[other] as number) > logit);
    same += Number(row[other] === logit);
  }
  if (same > 1) for (let other = 0; other < id; other++) above += Number(row[other] === logit);
  return above + 1;
}

/** The `count` largest logits, descending; of equal ones the lower id first. NaN never appears. */
export function topLogits(row: Float32Array, count: number): { id: number; logit: number }[] {
  const best: { id: number; logit: number }[] = [];
  if (count <= 0) return best;
  let [isFull, least] = [false, Number.NEGATIVE_INFINITY];
  for (let id = 0; id < row.length; id++) {
    const logit = row[id] as number;
    if (isFull && !(logit > least)) continue;
    if (Number.isNaN(logit)) continue;
    let place = best.length;
    while (place > 0 && (best[place - 1] as { logit: number }).logit < logit) place--;
    best.splice(place, 0, { id, logit });
    if (best.length > count) best.pop();
    isFull = best.length >= count;
    least = (best[best.length - 1] as { logit: number }).logit;
  }
  return best;
}

/** True when every value is a finite number. */
export function allFinite(values: Float32Array): boolean {
  // One pass without branches: any NaN or infinity makes the sum of x·0 a NaN. Four sums, since each addition waits for the one before it.
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = values;
  const even = length - (length % 4);
  for (let index = 0; index < even; index += 4) {
    a += (values[index] as number) * 0;
    b += (values[index + 1] as number) * 0;
    c += (values[index + 2] as number) * 0;
    d += (values[index + 3] as number) * 0;
  }
  for (let index = even; index < length; index++) a += (values[index] as number) * 0;
  return a + b + c + d === 0;
}
