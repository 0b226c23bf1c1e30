/** LASSO (Tibshirani 1996): a linear fit that leaves most coefficients at exactly 0. */
import { type Centred, centre, dot, type LinearFit, predict, type Samples, withIntercept } from './regression.ts';

/** A fit counts as found when its duality gap is this share of what there is to explain, or after this many rounds. */
const gapShare = 1e-8;
const mostRounds = 10_000;
/** Penalties tried, from the one that leaves nothing down to this share of it. */
const pathSteps = 40;
const pathEnd = 1e-3;
const folds = 5;

/**
 * The b, c that minimise ½ Σ weight (value − c − row · b)² / Σ weight + lambda ‖b‖₁, by coordinate descent
 * (Friedman, Hastie & Tibshirani 2010) until the duality gap closes (Kim et al. 2007). `lambda` is in the unit of the values.
 */
export function lasso(samples: Samples, lambda: number): LinearFit {
  const centred = centre(samples);
  return withIntercept(descend(centred, lambda, new Float64Array(centred.columns.length)), centred);
}

/** The smallest penalty that leaves no coefficient. */
export function largestPenalty({ columns, values }: Centred): number {
  return Math.max(0, ...columns.map((column) => Math.abs(dot(column, values))));
}

/** The last penalty along the path whose fit has at most `count` coefficients that are not 0. */
export function penaltyForCount(samples: Samples, count: number): number {
  const centred = centre(samples);
  const path = penaltyPath(largestPenalty(centred));
  let coefficients: Float64Array = new Float64Array(centred.columns.length);
  let found = path[0] ?? 0;
  for (const lambda of path) {
    coefficients = descend(centred, lambda, coefficients);
    if (coefficients.reduce((used, value) => used + (value === 0 ? 0 : 1), 0) > count) break;
    found = lambda;
  }
  return found;
}

/** The penalty along the path that predicts samples left out best (least weighted squared error, 5 folds). */
export function penaltyByCrossValidation(samples: Samples): number {
  const path = penaltyPath(largestPenalty(centre(samples)));
  const errors = new Float64Array(path.length);
  for (const { rest, left } of foldsOf(samples)) {
    const centred = centre(rest);
    let coefficients: Float64Array = new Float64Array(centred.columns.length);
    path.forEach((lambda, step) => {
      coefficients = descend(centred, lambda, coefficients);
      const fit = withIntercept(coefficients, centred);
      for (const sample of left) {
        const error = (samples.values[sample] as number) - predict(fit, samples.rows[sample] as ArrayLike<number>);
        errors[step] = (errors[step] as number) + (samples.weights[sample] as number) * error ** 2;
      }
    });
  }
  return path[errors.indexOf(Math.min(...errors))] ?? 0;
}

/** Five parts: each time four of them (`rest`) and the indices of the samples of the fifth (`left`), none without samples. */
export function foldsOf({ rows, values, weights }: Samples): { readonly rest: Samples; readonly left: readonly number[] }[] {
  const all = rows.map((_row, index) => index);
  return Array.from({ length: Math.min(folds, rows.length) }, (_, fold) => {
    const kept = all.filter((index) => index % folds !== fold);
    const take = (from: ArrayLike<number>) => Float64Array.from(kept, (index) => from[index] as number);
    return {
      rest: { rows: kept.map((index) => rows[index] as ArrayLike<number>), values: take(values), weights: take(weights) },
      left: all.filter((index) => index % folds === fold),
    };
  }).filter(({ rest }) => rest.rows.length > 0);
}

function penaltyPath(largest: number): number[] {
  return Array.from({ length: pathSteps }, (_, step) => largest * pathEnd ** (step / (pathSteps - 1)));
}

/** Coordinate descent from `start`: rounds over the coefficients in use, and one over all of them to see whether that is the end. */
function descend({ columns, values }: Centred, lambda: number, start: Float64Array): Float64Array {
  const coefficients = Float64Array.from(start);
  const squares = columns.map((column) => dot(column, column));
  const residual = values.slice(); // values − Σ coefficient · column
  columns.forEach((column, index) => {
    add(residual, column, -(coefficients[index] as number));
  });
  const round = (all: boolean) => {
    columns.forEach((column, index) => {
      const before = coefficients[index] as number;
      const square = squares[index] as number;
      if (square < 1e-18 || (!all && before === 0)) return;
      const after = softThreshold(dot(column, residual) + square * before, lambda) / square;
      if (after === before) return;
      add(residual, column, before - after);
      coefficients[index] = after;
    });
  };
  for (let done = 0; done < mostRounds; done++) {
    const all = done % 10 === 0;
    round(all);
    if (all && dualityGap({ columns, values }, lambda, coefficients, residual) <= gapShare * dot(values, values)) break;
  }
  return coefficients;
}

/**
 * How far a fit can be from the best one: ½‖r‖² + lambda‖b‖₁ − (½‖y‖² − ½‖y − θ‖²), where the dual point θ is the residual r, shrunk
 * until no column reaches further than lambda.
 */
function dualityGap(
  { columns, values }: Pick<Centred, 'columns' | 'values'>,
  lambda: number,
  coefficients: Float64Array,
  residual: Float64Array,
): number {
  const reach = Math.max(0, ...columns.map((column) => Math.abs(dot(column, residual))));
  const shrink = reach > lambda ? lambda / reach : 1;
  const distance = values.map((value, index) => value - shrink * (residual[index] as number));
  const size = coefficients.reduce((total, value) => total + Math.abs(value), 0);
  return (dot(residual, residual) - dot(values, values) + dot(distance, distance)) / 2 + lambda * size;
}

export function softThreshold(value: number, threshold: number): number {
  return Math.sign(value) * Math.max(0, Math.abs(value) - threshold);
}

function add(to: Float64Array, column: Float64Array, factor: number): void {
  if (factor === 0) return;
  for (let index = 0; index < to.length; index++) to[index] = (to[index] as number) + factor * (column[index] as number);
}
