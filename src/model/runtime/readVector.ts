/** What a caller reads from the logits of one vector, without taking the row itself. Loops by index: `for … of` is several times slower. */
import type { UnembedRead, UnembedResult } from '../model.ts';
import { exponential } from './exponential.ts';
import { rankOf, topLogits } from './rowSummary.ts';

/** A row that others are compared with. */
export interface ReferenceRow {
  /** [V] */
  readonly logits: Float32Array;
  /** Absent until a divergence is asked for. */
  distribution?: Distribution;
}

interface Distribution {
  /** [V] */
  readonly probabilities: Float64Array;
  /** Σ q log q, nats. */
  readonly negativeEntropy: number;
}

/** @param row [V] logits, all finite */
export function readVector(row: Float32Array, read: UnembedRead, reference?: ReferenceRow): UnembedResult {
  const { ids = [], top = 0, bottom = 0, entropy } = read;
  const best = topLogits(row, Math.max(1, top));
  const maximum = best[0]?.logit ?? Number.NaN;
  const { logSumExp, mean } = entropy === true ? moments(row, maximum) : { logSumExp: logSumOf(row, maximum), mean: 0 };
  return {
    logSumExp,
    logits: Float32Array.from(ids, (id) => row[id] ?? Number.NaN),
    ranks: Int32Array.from(ids, (id) => rankOf(row, id)),
    top: best.slice(0, top),
    bottom: bottom === 0 ? [] : topLogits(negative(row), bottom).map(({ id, logit }) => ({ id, logit: -logit })),
    // −Σ p log p = log Σ exp(x) − Σ p x
    ...(entropy === true ? { entropy: Math.max(0, logSumExp - mean) } : {}),
    ...(reference === undefined ? {} : { divergence: divergenceFrom(reference, row, logSumExp) }),
  };
}

/** log Σ exp(x), nats. */
function logSumOf(row: Float32Array, maximum: number): number {
  let sum = 0;
  for (let id = 0; id < row.length; id++) sum += exponential((row[id] as number) - maximum);
  return maximum + Math.log(sum);
}

/** log Σ exp(x), and Σ p x, in one pass over the exponentials. */
function moments(row: Float32Array, maximum: number): { readonly logSumExp: number; readonly mean: number } {
  let [sum, weighted] = [0, 0];
  for (let id = 0; id < row.length; id++) {
    const below = (row[id] as number) - maximum;
    const power = exponential(below);
    sum += power;
    weighted += power * below;
  }
  return { logSumExp: maximum + Math.log(sum), mean: maximum + weighted / sum };
}

/** KL(reference ‖ row) = Σ q log q − Σ q x + log Σ exp(x), nats. */
function divergenceFrom(reference: ReferenceRow, row: Float32Array, logSumExp: number): number {
  reference.distribution ??= distributionOf(reference.logits);
  const { probabilities, negativeEntropy } = reference.distribution;
  let mean = 0;
  for (let id = 0; id < row.length; id++) mean += (probabilities[id] as number) * (row[id] as number);
  // What rounding leaves below 0 of rows that are the same.
  return Math.max(0, negativeEntropy - mean + logSumExp);
}

function distributionOf(logits: Float32Array): Distribution {
  const { logSumExp, mean } = moments(logits, topLogits(logits, 1)[0]?.logit ?? Number.NaN);
  const probabilities = Float64Array.from(logits, (logit) => exponential(Math.min(0, logit - logSumExp)));
  return { probabilities, negativeEntropy: mean - logSumExp };
}

function negative(row: Float32Array): Float32Array {
  return row.map((logit) => -logit);
}
