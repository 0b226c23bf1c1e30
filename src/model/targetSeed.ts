/** Targets on logits: their value, and their derivative by each row of logits. Plain arithmetic in doubles. */
import type { GradientTarget, TargetTerm } from './gradient.ts';
import { logSumExp } from './logSumExp.ts';

/** Targets that read logits; a cotangent reads a site. */
export type LogitTarget = Exclude<GradientTarget, { kind: 'cotangent' }>;

/** Positions whose logits a target reads, ascending. */
export function rowsOf(target: LogitTarget): number[] {
  const positions =
    'terms' in target
      ? target.terms.map(({ position }) => position)
      : target.kind === 'linear'
        ? target.rows.map(({ position }) => position)
        : [target.position];
  return [...new Set(positions)].sort((a, b) => a - b);
}

export interface TargetSeed {
  readonly value: number;
  /** Position → d target / d logits, [V]. */
  readonly rows: ReadonlyMap<number, Float32Array>;
}

/** @param logits the row [V] at a position */
export function seedOf(target: LogitTarget, logits: (position: number) => Float32Array): TargetSeed {
  switch (target.kind) {
    case 'logit':
      return linearSeed(target.terms, logits);
    case 'logprob':
      return logprobSeed(target.terms, logits);
    case 'probability':
      return probabilitySeed(target.terms, logits);
    case 'joint-probability': {
      // d exp(s) = exp(s) ds
      const { value, rows } = logprobSeed(target.terms, logits);
      const probability = Math.exp(value);
      return { value: probability, rows: mapRows(rows, (weight) => weight * probability) };
    }
    case 'entropy':
      return entropySeed(target.position, logits(target.position));
    case 'kl':
      return divergenceSeed(target, logits(target.position));
    case 'linear': {
      let value = 0;
      const rows = new Map<number, Float32Array>();
      for (const { position, weights } of target.rows) {
        const row = logits(position);
        const seed = rowIn(rows, position, row.length);
        weights.forEach((weight, id) => {
          value += weight * (row[id] as number);
          seed[id] = (seed[id] as number) + weight;
        });
      }
      return { value, rows };
    }
  }
}

function linearSeed(terms: readonly TargetTerm[], logits: (position: number) => Float32Array): TargetSeed {
  let value = 0;
  const rows = new Map<number, Float32Array>();
  for (const { position, id, weight } of terms) {
    const row = logits(position);
    value += weight * (row[id] as number);
    const seed = rowIn(rows, position, row.length);
    seed[id] = (seed[id] as number) + weight;
  }
  return { value, rows };
}

/** d log p(t) / d logit(i) = [i = t] − p(i) */
function logprobSeed(terms: readonly TargetTerm[], logits: (position: number) => Float32Array): TargetSeed {
  let value = 0;
  const rows = new Map<number, Float32Array>();
  for (const [position, own] of byPosition(terms)) {
    const row = logits(position);
    const normaliser = logSumExp(row);
    const total = own.reduce((sum, { weight }) => sum + weight, 0);
    const seed = rowIn(rows, position, row.length);
    for (let id = 0; id < row.length; id++) seed[id] = -total * Math.exp((row[id] as number) - normaliser);
    for (const { id, weight } of own) {
      value += weight * ((row[id] as number) - normaliser);
      seed[id] = (seed[id] as number) + weight;
    }
  }
  return { value, rows };
}

/** d p(t) / d logit(i) = p(t) ([i = t] − p(i)) */
function probabilitySeed(terms: readonly TargetTerm[], logits: (position: number) => Float32Array): TargetSeed {
  let value = 0;
  const rows = new Map<number, Float32Array>();
  for (const [position, own] of byPosition(terms)) {
    const row = logits(position);
    const normaliser = logSumExp(row);
    const probability = (id: number) => Math.exp((row[id] as number) - normaliser);
    const total = own.reduce((sum, { id, weight }) => sum + weight * probability(id), 0);
    const seed = rowIn(rows, position, row.length);
    for (let id = 0; id < row.length; id++) seed[id] = -total * probability(id);
    for (const { id, weight } of own) seed[id] = (seed[id] as number) + weight * probability(id);
    value += total;
  }
  return { value, rows };
}

/** H = −Σ p log p: dH / d logit(i) = −p(i) (log p(i) + H) */
function entropySeed(position: number, row: Float32Array): TargetSeed {
  const normaliser = logSumExp(row);
  let value = 0;
  for (const logit of row) {
    const logprob = logit - normaliser;
    value -= Math.exp(logprob) * (logprob > Number.NEGATIVE_INFINITY ? logprob : 0);
  }
  // p log p is 0 where p is: a token that cannot follow has no slope.
  const seed = Float32Array.from(row, (logit) => {
    const logprob = logit - normaliser;
    return logprob > Number.NEGATIVE_INFINITY ? -Math.exp(logprob) * (logprob + value) : 0;
  });
  return { value, rows: new Map([[position, seed]]) };
}

/**
 * KL(p ‖ r) = Σ p (log p − log r): d / d logit(i) = p(i) (log p(i) − log r(i) − KL).
 * KL(r ‖ p) = Σ r (log r − log p): d / d logit(i) = p(i) Σr − r(i).
 */
function divergenceSeed(target: Extract<LogitTarget, { kind: 'kl' }>, row: Float32Array): TargetSeed {
  const { position, reference, direction } = target;
  const normaliser = logSumExp(row);
  const logprob = (id: number) => (row[id] as number) - normaliser;
  const seed = new Float32Array(row.length);
  let value = 0;
  if (direction === 'from-reference') {
    let mass = 0;
    reference.forEach((share, id) => {
      if (share > 0) value += share * (Math.log(share) - logprob(id));
      mass += share;
    });
    for (let id = 0; id < row.length; id++) seed[id] = mass * Math.exp(logprob(id)) - (reference[id] as number);
  } else {
    const surplus = (id: number) => logprob(id) - Math.log(reference[id] as number);
    for (let id = 0; id < row.length; id++) {
      const probability = Math.exp(logprob(id));
      if (probability > 0) value += probability * surplus(id);
    }
    for (let id = 0; id < row.length; id++) {
      const probability = Math.exp(logprob(id));
      seed[id] = probability > 0 ? probability * (surplus(id) - value) : 0;
    }
  }
  return { value, rows: new Map([[position, seed]]) };
}

function byPosition(terms: readonly TargetTerm[]): Map<number, TargetTerm[]> {
  const grouped = new Map<number, TargetTerm[]>();
  for (const term of terms) {
    const own = grouped.get(term.position);
    if (own === undefined) grouped.set(term.position, [term]);
    else own.push(term);
  }
  return grouped;
}

function rowIn(rows: Map<number, Float32Array>, position: number, width: number): Float32Array {
  const row = rows.get(position) ?? new Float32Array(width);
  rows.set(position, row);
  return row;
}

function mapRows(rows: ReadonlyMap<number, Float32Array>, change: (value: number) => number): Map<number, Float32Array> {
  return new Map([...rows].map(([position, row]) => [position, row.map(change)]));
}
