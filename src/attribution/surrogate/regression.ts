/**
 * Weighted linear regression over the presence of players. Every fit has an intercept, which is never penalised: columns and
 * values are centred at their weighted means first. Plain numerics in doubles; knows nothing of prompts.
 */

export interface Samples {
  /** [samples, columns]: what each sample holds. */
  readonly rows: readonly ArrayLike<number>[];
  /** [samples] */
  readonly values: ArrayLike<number>;
  /** [samples], none below zero, not all zero. */
  readonly weights: ArrayLike<number>;
}

export interface LinearFit {
  /** [columns] */
  readonly coefficients: Float64Array;
  readonly intercept: number;
}

/** The samples centred at their weighted means and scaled by √(weight / Σ weights). */
export interface Centred {
  /** [columns][samples] */
  readonly columns: readonly Float64Array[];
  /** [samples] */
  readonly values: Float64Array;
  /** [columns] */
  readonly means: Float64Array;
  readonly valueMean: number;
}

export function centre({ rows, values, weights }: Samples): Centred {
  const total = sum(rows.length, (sample) => weights[sample] as number);
  const scale = Float64Array.from(rows, (_row, sample) => Math.sqrt((weights[sample] as number) / total));
  const centred = (at: (sample: number) => number) => {
    const mean = sum(rows.length, (sample) => (weights[sample] as number) * at(sample)) / total;
    return { mean, data: scale.map((factor, sample) => factor * (at(sample) - mean)) };
  };
  const columns = Array.from({ length: rows[0]?.length ?? 0 }, (_, column) =>
    centred((sample) => rows[sample]?.[column] as number),
  );
  const own = centred((sample) => values[sample] as number);
  return {
    columns: columns.map(({ data }) => data),
    values: own.data,
    means: Float64Array.from(columns, ({ mean }) => mean),
    valueMean: own.mean,
  };
}

/**
 * Weighted ridge regression, in closed form (Hoerl & Kennard 1970): the b, c that minimise
 * Σ weight (value − c − row · b)² + lambda ‖b‖², by Cholesky's factorisation of the centred normal equations.
 * A column that those before it explain entirely (one that never changes, say) gets 0 where lambda is 0.
 */
export function ridge(samples: Samples, lambda: number): LinearFit {
  const centred = centre(samples);
  const { columns, values } = centred;
  // The columns are scaled to Σ weights = 1, and so is the penalty.
  const penalty = lambda / sum(samples.rows.length, (sample) => samples.weights[sample] as number);
  const matrix = columns.map((a, row) => Float64Array.from(columns, (b, column) => dot(a, b) + (row === column ? penalty : 0)));
  const right = Float64Array.from(columns, (column) => dot(column, values));
  const [coefficients = right] = solveSymmetric(matrix, [right]);
  return withIntercept(coefficients, centred);
}

/** The fit on the samples' own scale. */
export function withIntercept(coefficients: Float64Array, { means, valueMean }: Centred): LinearFit {
  return { coefficients, intercept: valueMean - dot(means, coefficients) };
}

export function predict({ coefficients, intercept }: LinearFit, row: ArrayLike<number>): number {
  return intercept + dot(coefficients, row);
}

/** Weighted R²: 1 − Σ weight (value − prediction)² / Σ weight (value − mean)². 1 where the values do not vary and are met. */
export function weightedR2({ values, weights }: Pick<Samples, 'values' | 'weights'>, predictions: ArrayLike<number>): number {
  const count = predictions.length;
  const weighted = (of: (sample: number) => number) => sum(count, (sample) => (weights[sample] as number) * of(sample));
  const mean = weighted((sample) => values[sample] as number) / weighted(() => 1);
  const left = weighted((sample) => ((values[sample] as number) - (predictions[sample] as number)) ** 2);
  const all = weighted((sample) => ((values[sample] as number) - mean) ** 2);
  if (all > 0) return 1 - left / all;
  return left > 1e-18 ? 0 : 1;
}

/**
 * x with `matrix` x = right for each right side; the matrix [n][n] is symmetric and positive semidefinite, and its lower half is
 * overwritten (Cholesky). A column that those before it explain entirely gets 0.
 */
export function solveSymmetric(matrix: readonly Float64Array[], rights: readonly Float64Array[]): Float64Array[] {
  const size = matrix.length;
  const at = (row: number, column: number) => matrix[row]?.[column] as number;
  /** Columns that are left out: what is left of their diagonal is rounding. */
  const dependent = new Uint8Array(size);
  for (let pivot = 0; pivot < size; pivot++) {
    const before = at(pivot, pivot);
    const rest = before - sum(pivot, (k) => at(pivot, k) ** 2);
    const root = Math.sqrt(Math.max(0, rest));
    dependent[pivot] = rest <= 1e-12 * before ? 1 : 0;
    for (let row = pivot; row < size; row++) {
      const value = row === pivot ? root : (at(row, pivot) - sum(pivot, (k) => at(row, k) * at(pivot, k))) / root;
      (matrix[row] as Float64Array)[pivot] = dependent[pivot] === 1 ? 0 : value;
    }
  }
  return rights.map((right) => {
    const solution = new Float64Array(size);
    for (let row = 0; row < size; row++) {
      const rest = (right[row] as number) - sum(row, (k) => at(row, k) * (solution[k] as number));
      solution[row] = dependent[row] === 1 ? 0 : rest / at(row, row);
    }
    for (let row = size - 1; row >= 0; row--) {
      const rest =
        (solution[row] as number) - sum(size - 1 - row, (k) => at(row + 1 + k, row) * (solution[row + 1 + k] as number));
      solution[row] = dependent[row] === 1 ? 0 : rest / at(row, row);
    }
    return solution;
  });
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < a.length; index++) total += (a[index] as number) * (b[index] as number);
  return total;
}

function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += term(index);
  return total;
}
