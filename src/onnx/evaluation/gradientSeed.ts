/**
 * Where a gradient begins: d target / d logits, as far as it can be known before the forward pass. For a sum of logits or of
 * log-probabilities it is `direct − share · softmax(logits)` in each row, with `direct` and `share` from the target alone; for
 * the other targets the logits must be known first.
 */
import type { GradientTarget } from '../../model/gradient.ts';
import { type LogitTarget, rowsOf, seedOf } from '../../model/targetSeed.ts';

export interface RowSeeds {
  /** Positions, ascending. */
  readonly rows: readonly number[];
  /** [rows, V] */
  readonly direct: Float32Array;
  /** [rows] */
  readonly shares: Float32Array;
}

/** Null when the target's derivative depends on the logits in another way. @param width V */
export function seedsBefore(target: LogitTarget, width: number): RowSeeds | null {
  const rows = rowsOf(target);
  const direct = new Float32Array(rows.length * width);
  const shares = new Float32Array(rows.length);
  const place = (position: number) => rows.indexOf(position);
  switch (target.kind) {
    case 'logit':
    case 'logprob':
      for (const { position, id, weight } of target.terms) {
        const row = place(position);
        direct[row * width + id] = (direct[row * width + id] as number) + weight;
        if (target.kind === 'logprob') shares[row] = (shares[row] as number) + weight;
      }
      return { rows, direct, shares };
    case 'linear':
      for (const { position, weights } of target.rows) {
        const start = place(position) * width;
        for (let id = 0; id < width; id++) direct[start + id] = (direct[start + id] as number) + (weights[id] as number);
      }
      return { rows, direct, shares };
    default:
      return null;
  }
}

/** @param logits the row [V] at a position */
export function seedsAfter(target: LogitTarget, width: number, logits: (position: number) => Float32Array): RowSeeds {
  const rows = rowsOf(target);
  const direct = new Float32Array(rows.length * width);
  const seed = seedOf(target, logits);
  for (const [index, position] of rows.entries()) direct.set(seed.rows.get(position) ?? [], index * width);
  return { rows, direct, shares: new Float32Array(rows.length) };
}

export function isLogitTarget(target: GradientTarget): target is LogitTarget {
  return target.kind !== 'cotangent';
}
