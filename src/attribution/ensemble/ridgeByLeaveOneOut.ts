/** Ridge regression that is shrunk towards a prior, with the penalty the samples themselves choose. */
import { Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Penalties tried, from almost none to almost nothing left. */
const penalties = [0.5, 1, 2, 4, 8, 16, 32, 64, 128] as const;

export interface ShrunkFit {
  readonly intercept: number;
  /** [columns] */
  readonly coefficients: Float64Array;
  readonly lambda: number;
  /** Share of the variation of y that the fit describes. */
  readonly r2: number;
}

/**
 * Minimises Σ (y − b − x · w)² + lambda ‖w − prior‖² (Hoerl & Kennard 1970) under the lambda with which each sample is best predicted
 * by all others (Allen 1974). The leave-one-out errors of a linear smoother H are (y − Hy) / (1 − diag H), so nothing is fitted twice.
 * @param rows [samples, columns], at least one sample
 * @param prior [columns], in the unit of y
 */
export function ridgeByLeaveOneOut(
  rows: readonly ArrayLike<number>[],
  y: ArrayLike<number>,
  prior: ArrayLike<number>,
): ShrunkFit {
  const count = rows.length;
  const columns = prior.length;
  const meanRow = Float64Array.from({ length: columns }, (_, column) => meanOf(rows.map((row) => row[column] as number)));
  const meanY = meanOf(Array.from(y));
  const centred = rows.map((row) => Array.from(meanRow, (mean, column) => (row[column] as number) - mean));
  const residual = centred.map((row, sample) => (y[sample] as number) - meanY - dot(row, prior));
  if (columns === 0) return { intercept: meanY, coefficients: new Float64Array(0), lambda: penalties[0], r2: 0 };
  // Xc = U S Vᵀ; H = U S² (S² + lambda)⁻¹ Uᵀ + 1/n, since the mean is fitted too.
  const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(new Matrix(centred), {
    autoTranspose: true,
  });
  const projected = diagonal.map((_, k) =>
    residual.reduce((sum, value, row) => sum + value * leftSingularVectors.get(row, k), 0),
  );
  const smoothed = (lambda: number, row: number) => {
    let fitted = 0;
    let own = 1 / count;
    diagonal.forEach((value, k) => {
      const share = value ** 2 / (value ** 2 + lambda);
      const left = leftSingularVectors.get(row, k);
      fitted += share * left * (projected[k] as number);
      own += share * left ** 2;
    });
    return { fitted, own };
  };
  const errors = penalties.map((lambda) =>
    residual.reduce((sum, value, row) => {
      const { fitted, own } = smoothed(lambda, row);
      return sum + ((value - fitted) / Math.max(1e-9, 1 - own)) ** 2;
    }, 0),
  );
  const lambda = penalties[errors.indexOf(Math.min(...errors))] ?? penalties[0];
  const coefficients = Float64Array.from({ length: columns }, (_, column) =>
    diagonal.reduce(
      (sum, value, k) => sum + rightSingularVectors.get(column, k) * (value / (value ** 2 + lambda)) * (projected[k] as number),
      prior[column] as number,
    ),
  );
  const left = residual.reduce((sum, value, row) => sum + (value - smoothed(lambda, row).fitted) ** 2, 0);
  const all = Array.from(y).reduce((sum, value) => sum + (value - meanY) ** 2, 0);
  return { intercept: meanY - dot(meanRow, coefficients), coefficients, lambda, r2: all > 0 ? 1 - left / all : 0 };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
