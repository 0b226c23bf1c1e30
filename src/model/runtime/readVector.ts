/** What a caller reads from the logits of one vector, without taking the row itself. */
import type { UnembedRead, UnembedResult } from '../model.ts';
import { rankOf, topLogits } from './rowSummary.ts';

/** A row that others are compared with. */
export interface ReferenceRow {
  /** [V] */
  readonly logits: Float32Array;
  /** [V] and log Σ exp(logits); absent until a divergence is asked for. */
  distribution?: { readonly probabilities: Float64Array; readonly logSumExp: number };
}

/** @param row [V] logits */
export function readVector(row: Float32Array, read: UnembedRead, reference?: ReferenceRow): UnembedResult {
  const { ids = [], top = 0, bottom = 0, entropy } = read;
  const { logSumExp, mean } = moments(row, entropy === true);
  return {
    logSumExp,
    logits: Float32Array.from(ids, (id) => row[id] ?? Number.NaN),
    ranks: Int32Array.from(ids, (id) => rankOf(row, id)),
    top: topLogits(row, top),
    bottom: bottom === 0 ? [] : topLogits(negative(row), bottom).map(({ id, logit }) => ({ id, logit: -logit })),
    // −Σ p log p = log Σ exp(x) − Σ p x
    ...(entropy === true ? { entropy: Math.max(0, logSumExp - mean) } : {}),
    ...(reference === undefined ? {} : { divergence: divergenceFrom(reference, row, logSumExp) }),
  };
}

/** log Σ exp(x), and Σ p x where it is wanted, in one pass over the exponentials. */
function moments(row: Float32Array, wantsMean: boolean): { readonly logSumExp: number; readonly mean: number } {
  const maximum = maximumOf(row);
  let [sum, weighted] = [0, 0];
  if (wantsMean) {
    for (const logit of row) {
      const power = Math.exp(logit - maximum);
      sum += power;
      if (power > 0) weighted += power * logit;
    }
  } else for (const logit of row) sum += Math.exp(logit - maximum);
  return { logSumExp: maximum + Math.log(sum), mean: weighted / sum };
}

/** KL(reference ‖ row) = Σ q (x_reference − x) + log Σ exp(x) − log Σ exp(x_reference), nats. */
function divergenceFrom(reference: ReferenceRow, row: Float32Array, logSumExp: number): number {
  reference.distribution ??= distributionOf(reference.logits);
  const { probabilities, logSumExp: own } = reference.distribution;
  let sum = logSumExp - own;
  for (let id = 0; id < row.length; id++) {
    const probability = probabilities[id] as number;
    if (probability > 0) sum += probability * ((reference.logits[id] as number) - (row[id] as number));
  }
  // What rounding leaves below 0 of rows that are the same.
  return Math.max(0, sum);
}

function distributionOf(logits: Float32Array): NonNullable<ReferenceRow['distribution']> {
  const { logSumExp } = moments(logits, false);
  return { probabilities: Float64Array.from(logits, (logit) => Math.exp(logit - logSumExp)), logSumExp };
}

function maximumOf(row: Float32Array): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const logit of row) if (logit > maximum) maximum = logit;
  return maximum;
}

function negative(row: Float32Array): Float32Array {
  return row.map((logit) => -logit);
}
