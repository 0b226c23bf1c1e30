/** Targets on logits by the rescale rule: multipliers m of each row with Σ m · (z − z₀) = f(z) − f(z₀). Plain arithmetic in doubles. */
import { logSumExp } from './logSumExp.ts';
import { type LogitTarget, rowsOf, seedOf } from './targetSeed.ts';

type Rows = (position: number) => Float32Array;

/** (b − a) / (log b − log a): what turns a difference of logarithms into one of numbers. Between its operands; 0 where one is 0. */
export function logarithmicMean(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  const distance = Math.log(b / a);
  return Math.abs(distance) < 1e-4 ? (a + b) / 2 : (b - a) / distance;
}

/** @param logits, reference the rows [V] at a position, in both runs */
export function rescaleSeed(target: LogitTarget, logits: Rows, reference: Rows): ReadonlyMap<number, Float32Array> {
  // Linear: the derivative is the same everywhere.
  if (target.kind === 'logit' || target.kind === 'linear') return seedOf(target, logits).rows;
  const rows = rowsOf(target).map((position) => [position, new RowPair(logits(position), reference(position))] as const);
  const share = target.kind === 'joint-probability' ? jointMean(target, logits, reference) : 1;
  return new Map(
    rows.map(([position, pair]) => {
      const weights = byLogprob(target, position, pair);
      return [position, pair.byLogit(weights.map((weight) => weight * share))] as const;
    }),
  );
}

/** The log-probabilities of one row in both runs. */
class RowPair {
  readonly logprobs: Float64Array;
  readonly references: Float64Array;

  constructor(row: Float32Array, reference: Float32Array) {
    const [normaliser, referenceNormaliser] = [logSumExp(row), logSumExp(reference)];
    this.logprobs = Float64Array.from(row, (logit) => logit - normaliser);
    this.references = Float64Array.from(reference, (logit) => logit - referenceNormaliser);
  }

  /** Δp = mean · Δlog p */
  mean(id: number): number {
    return logarithmicMean(Math.exp(this.logprobs[id] as number), Math.exp(this.references[id] as number));
  }

  /** Δlog p(i) = Δz(i) − Δlogsumexp, and since Σ Δp = 0, Δlogsumexp = Σ mean(j) Δz(j) / Σ mean. */
  byLogit(weights: Float64Array): Float32Array {
    const means = weights.map((_, id) => this.mean(id));
    const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
    const spread = sum(weights) / sum(means);
    return Float32Array.from(weights, (weight, id) => weight - spread * (means[id] as number));
  }
}

/** The factor of each log-probability's difference in the target's, [V]. */
function byLogprob(target: Exclude<LogitTarget, { kind: 'logit' | 'linear' }>, position: number, pair: RowPair): Float64Array {
  const { logprobs, references } = pair;
  if ('terms' in target) {
    const weights = new Float64Array(logprobs.length);
    for (const { id, weight } of target.terms.filter((term) => term.position === position)) {
      weights[id] = (weights[id] as number) + weight * (target.kind === 'probability' ? pair.mean(id) : 1);
    }
    return weights;
  }
  if (target.kind === 'kl' && target.direction === 'from-reference')
    return Float64Array.from(target.reference, (share) => -share);
  // Σ p (log p − c): a product of p and what stands in brackets, each with the other's mean.
  const sign = target.kind === 'entropy' ? -1 : 1;
  return logprobs.map((logprob, id) => {
    const before = references[id] as number;
    const mean = pair.mean(id);
    if (mean === 0) return 0;
    const constant = target.kind === 'kl' ? Math.log(target.reference[id] as number) : 0;
    return sign * (((logprob + before) / 2 - constant) * mean + (Math.exp(logprob) + Math.exp(before)) / 2);
  });
}

/** Δexp(s) = mean · Δs */
function jointMean(target: Extract<LogitTarget, { kind: 'joint-probability' }>, logits: Rows, reference: Rows): number {
  return logarithmicMean(seedOf(target, logits).value, seedOf(target, reference).value);
}
