/** Weighted linear regression in doubles, for surrogates and KernelSHAP. Rows are samples. */
import { CholeskyDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';

export interface LinearFit {
  readonly intercept: number;
  /** One per column. */
  readonly coefficients: Float64Array;
}

export type Row = ArrayLike<number>;

/** The shortest w that minimises Σ weight (y − x · w)²; no intercept. */
export function solveLeastSquares(rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>): Float64Array {
  const columns = rows[0]?.length ?? 0;
  const { gram, moments } = normalEquations(rows, y, weights, columns);
  const decomposition = new SingularValueDecomposition(gram, { autoTranspose: true });
  return Float64Array.from(decomposition.solve(Matrix.columnVector([...moments])).to1DArray());
}

/**
 * Minimises Σ weight (y − b − x · w)² + lambda ‖w − prior‖² (Hoerl & Kennard 1970); the intercept b is not shrunk.
 * @param lambda above 0, or 0 where the columns are independent
 */
export function ridge(
  rows: readonly Row[],
  y: ArrayLike<number>,
  weights: ArrayLike<number>,
  lambda: number,
  prior?: ArrayLike<number>,
): LinearFit {
  const centred = centre(rows, y, weights);
  const columns = centred.meanRow.length;
  const { gram, moments } = normalEquations(centred.rows, centred.y, weights, columns);
  for (let column = 0; column < columns; column++) {
    gram.set(column, column, gram.get(column, column) + lambda);
    moments[column] = (moments[column] as number) + lambda * (prior?.[column] ?? 0);
  }
  const decomposition = new CholeskyDecomposition(gram);
  const right = Matrix.columnVector([...moments]);
  const solution = decomposition.isPositiveDefinite()
    ? decomposition.solve(right)
    : new SingularValueDecomposition(gram, { autoTranspose: true }).solve(right);
  return withIntercept(Float64Array.from(solution.to1DArray()), centred);
}

/** Penalties tried, from almost none to almost nothing left. */
const penalties = [0.5, 1, 2, 4, 8, 16, 32, 64, 128] as const;

/**
 * {@link ridge} with every weight 1 and the penalty under which each sample is best predicted by the others (Allen 1974): the
 * leave-one-out error of a linear smoother H is (y − Hy) / (1 − diag H), so no fit is repeated.
 * @param prior [columns] what the coefficients are shrunk towards, in the unit of y
 */
export function ridgeByLeaveOneOut(
  rows: readonly Row[],
  y: ArrayLike<number>,
  prior: ArrayLike<number>,
): LinearFit & { readonly lambda: number } {
  const even = new Float64Array(rows.length).fill(1);
  const centred = centre(rows, y, even);
  if (centred.meanRow.length === 0) return { intercept: centred.meanY, coefficients: new Float64Array(0), lambda: 0 };
  const residual = centred.rows.map((row, index) => {
    let explained = 0;
    for (let column = 0; column < row.length; column++) explained += (row[column] as number) * (prior[column] ?? 0);
    return (centred.y[index] as number) - explained;
  });
  // Xc = U S Vᵀ; H = U S² (S² + lambda)⁻¹ Uᵀ.
  const { leftSingularVectors, diagonal } = new SingularValueDecomposition(new Matrix(centred.rows.map((row) => [...row])), {
    autoTranspose: true,
  });
  const projected = diagonal.map((_, k) =>
    residual.reduce((sum, value, row) => sum + value * leftSingularVectors.get(row, k), 0),
  );
  const errorOf = (lambda: number): number => {
    const kept = diagonal.map((value) => value ** 2 / (value ** 2 + lambda));
    return residual.reduce((sum, value, row) => {
      // The mean is fitted too: it takes 1 / n of every sample.
      let own = 1 / residual.length;
      let fitted = 0;
      kept.forEach((share, k) => {
        const left = leftSingularVectors.get(row, k);
        own += share * left ** 2;
        fitted += share * left * (projected[k] as number);
      });
      return sum + ((value - fitted) / Math.max(1e-9, 1 - own)) ** 2;
    }, 0);
  };
  const errors = penalties.map(errorOf);
  const lambda = penalties[errors.indexOf(Math.min(...errors))] ?? 8;
  return { ...ridge(rows, y, even, lambda, prior), lambda };
}

/** Rounds at most; far fewer are needed. */
const mostRounds = 10_000;

/**
 * Minimises ½ Σ weight (y − b − x · w)² / Σ weight + lambda Σ |w| (Tibshirani 1996) by coordinate descent (Friedman et al. 2010),
 * until no coefficient moves by more than a hundred-millionth of the spread of y.
 */
export function lasso(rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>, lambda: number): LinearFit {
  const centred = centre(rows, y, weights);
  const columns = centred.meanRow.length;
  const total = sumOf(weights);
  const { gram, moments } = normalEquations(centred.rows, centred.y, weights, columns);
  const w = new Float64Array(columns);
  const tolerance =
    1e-8 * Math.sqrt(sumOf(Float64Array.from(centred.y, (value, row) => (weights[row] as number) * value * value)) / total);
  for (let round = 0; round < mostRounds; round++) {
    let moved = 0;
    for (let column = 0; column < columns; column++) {
      const own = gram.get(column, column);
      if (own <= 0) continue;
      let residual = moments[column] as number;
      for (let other = 0; other < columns; other++) {
        if (other !== column) residual -= gram.get(column, other) * (w[other] as number);
      }
      const next = softThreshold(residual / total, lambda) / (own / total);
      moved = Math.max(moved, Math.abs(next - (w[column] as number)));
      w[column] = next;
    }
    if (moved <= tolerance) break;
  }
  return withIntercept(w, centred);
}

/** The smallest lambda at which {@link lasso} gives no coefficient at all. */
export function largestLambda(rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>): number {
  const centred = centre(rows, y, weights);
  const { moments } = normalEquations(centred.rows, centred.y, weights, centred.meanRow.length);
  return moments.reduce((most, moment) => Math.max(most, Math.abs(moment)), 0) / sumOf(weights);
}

export function predict({ intercept, coefficients }: LinearFit, row: Row): number {
  let sum = intercept;
  for (let column = 0; column < coefficients.length; column++) sum += (coefficients[column] as number) * (row[column] as number);
  return sum;
}

/** Weighted R²: the share of the variation of y that the fit describes; 0 where y does not vary. */
export function determination(fit: LinearFit, rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>): number {
  const mean = weightedMean(y, weights);
  let left = 0;
  let all = 0;
  rows.forEach((row, index) => {
    const weight = weights[index] as number;
    left += weight * ((y[index] as number) - predict(fit, row)) ** 2;
    all += weight * ((y[index] as number) - mean) ** 2;
  });
  return all > 0 ? 1 - left / all : 0;
}

function softThreshold(value: number, by: number): number {
  return Math.sign(value) * Math.max(0, Math.abs(value) - by);
}

interface Centred {
  readonly rows: readonly Float64Array[];
  readonly y: Float64Array;
  readonly meanRow: Float64Array;
  readonly meanY: number;
}

function centre(rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>): Centred {
  const columns = rows[0]?.length ?? 0;
  const meanRow = Float64Array.from({ length: columns }, (_, column) =>
    weightedMean(
      rows.map((row) => row[column] as number),
      weights,
    ),
  );
  const meanY = weightedMean(y, weights);
  return {
    rows: rows.map((row) => meanRow.map((mean, column) => (row[column] as number) - mean)),
    y: Float64Array.from(y, (value) => value - meanY),
    meanRow,
    meanY,
  };
}

function withIntercept(coefficients: Float64Array, { meanRow, meanY }: Centred): LinearFit {
  const moved = coefficients.reduce((sum, value, column) => sum + value * (meanRow[column] as number), 0);
  return { intercept: meanY - moved, coefficients };
}

/** Xᵀ W X and Xᵀ W y. */
function normalEquations(rows: readonly Row[], y: ArrayLike<number>, weights: ArrayLike<number>, columns: number) {
  const gram = Matrix.zeros(columns, columns);
  const moments = new Float64Array(columns);
  rows.forEach((row, index) => {
    const weight = weights[index] as number;
    for (let left = 0; left < columns; left++) {
      const weighted = weight * (row[left] as number);
      if (weighted === 0) continue;
      moments[left] = (moments[left] as number) + weighted * (y[index] as number);
      for (let right = left; right < columns; right++)
        gram.set(left, right, gram.get(left, right) + weighted * (row[right] as number));
    }
  });
  // One half is computed and mirrored: the same product in another order may round differently.
  for (let left = 0; left < columns; left++)
    for (let right = 0; right < left; right++) gram.set(left, right, gram.get(right, left));
  return { gram, moments };
}

function weightedMean(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index] as number) * (weights[index] as number);
  return sum / sumOf(weights);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  return sum;
}
