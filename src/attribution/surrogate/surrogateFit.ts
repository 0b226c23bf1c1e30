import type { Explanation } from '../../shared/explanation.ts';
import { foldsOf } from './lasso.ts';
import { type Samples, weightedR2 } from './regression.ts';
import { spearman } from '../spearman.ts';

/** What stands in for the model: the target's value of a prompt that holds these players. */
export type Surrogate = (present: ArrayLike<number>) => number;

/**
 * How well a surrogate describes the samples it was fitted to, and, by fitting it again five times with a fifth of
 * the samples left out, how well it orders those it has not seen. The latter costs the model nothing.
 */
export function surrogateFit(
  samples: Samples,
  surrogate: Surrogate,
  fit: (samples: Samples) => Surrogate,
): NonNullable<NonNullable<Explanation['findings']>['fit']> {
  const { rows, values } = samples;
  const players = rows[0]?.length ?? 0;
  const unseen = new Float64Array(rows.length);
  // Too few to leave some out: no statement.
  const folds = rows.length < 10 ? [] : foldsOf(samples);
  for (const { rest, left } of folds) {
    const other = fit(rest);
    for (const sample of left) unseen[sample] = other(rows[sample] as ArrayLike<number>);
  }
  return {
    samples: rows.length,
    r2: weightedR2(samples, rows.map(surrogate)),
    intercept: surrogate(new Uint8Array(players)),
    ...(folds.length === 0 ? {} : { heldOut: spearman(unseen, values) }),
  };
}
