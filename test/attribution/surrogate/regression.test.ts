import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import {
  determination,
  largestLambda,
  lasso,
  predict,
  ridge,
  ridgeByLeaveOneOut,
  solveLeastSquares,
} from '../../../src/attribution/surrogate/regression.ts';

function randomSamples(seed: number, count: number, columns: number) {
  const random = seededRandom(seed);
  const truth = Array.from({ length: columns }, (_, column) => (column % 3 === 0 ? 4 * random() - 2 : 0));
  const rows = Array.from({ length: count }, () => Array.from({ length: columns }, () => (random() < 0.5 ? 0 : 1)));
  const y = rows.map((row) =>
    row.reduce<number>((sum, here, column) => sum + here * (truth[column] as number), 3 + random() - 0.5),
  );
  return { rows, y, weights: rows.map(() => 0.1 + random()) };
}

const square = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
];
const even = [1, 1, 1, 1];

describe('ridge', () => {
  test('two columns, solved by hand', () => {
    // Centred columns are (−½, ½, −½, ½) and (−½, −½, ½, ½): XᵀX = I, Xᵀy = (1.5, 3.5).
    for (const lambda of [0, 1, 9]) {
      const { coefficients, intercept } = ridge(square, [1, 2, 4, 6], even, lambda);
      const [a, b] = [1.5 / (1 + lambda), 3.5 / (1 + lambda)];
      expect(coefficients[0]).toBeCloseTo(a, 12);
      expect(coefficients[1]).toBeCloseTo(b, 12);
      expect(intercept).toBeCloseTo(3.25 - a / 2 - b / 2, 12);
    }
  });

  test.each([1, 2, 3])('normal equations with weights and a prior, seed %i', (seed) => {
    const { rows, y, weights } = randomSamples(seed, 40, 12);
    const prior = rows[0]?.map((_, column) => column / 10) ?? [];
    const fit = ridge(rows, y, weights, 0.7, prior);
    const error = (sample: number) => (y[sample] as number) - predict(fit, rows[sample] as number[]);
    const sum = (of: (sample: number) => number) =>
      rows.reduce((total, _row, sample) => total + (weights[sample] as number) * of(sample), 0);
    expect(sum(error)).toBeCloseTo(0, 9);
    fit.coefficients.forEach((coefficient, column) => {
      const slope = sum((sample) => (rows[sample]?.[column] as number) * error(sample));
      expect(slope).toBeCloseTo(0.7 * (coefficient - (prior[column] as number)), 9);
    });
  });

  test('a column that never varies gets the prior', () => {
    const { coefficients } = ridge(
      [
        [1, 0],
        [1, 1],
      ],
      [2, 5],
      [1, 1],
      0.5,
      [0.25, 0],
    );
    expect(coefficients[0]).toBeCloseTo(0.25, 12);
  });
});

describe('ridge with the penalty of least leave-one-out error', () => {
  test.each([1, 2, 3])('the shortcut equals fitting again without each sample, seed %i', (seed) => {
    const { rows, y } = randomSamples(seed, 14, 6);
    const prior = [0.1, 0, 0.5, 0, 0, -0.2];
    const errorOf = (lambda: number) =>
      rows.reduce((sum, row, left) => {
        const rest = rows.filter((_, index) => index !== left);
        const fit = ridge(
          rest,
          y.filter((_, index) => index !== left),
          rest.map(() => 1),
          lambda,
          prior,
        );
        return sum + ((y[left] as number) - predict(fit, row)) ** 2;
      }, 0);
    const penalties = [0.5, 1, 2, 4, 8, 16, 32, 64, 128];
    const errors = penalties.map(errorOf);
    const { lambda, coefficients } = ridgeByLeaveOneOut(rows, y, prior);
    expect(lambda).toBe(penalties[errors.indexOf(Math.min(...errors))]);
    expect([...coefficients]).toEqual([
      ...ridge(
        rows,
        y,
        rows.map(() => 1),
        lambda,
        prior,
      ).coefficients,
    ]);
  });
});

describe('LASSO', () => {
  test('an orthogonal design: soft thresholding of the means', () => {
    // Σ x y / n = (1.5, 3.5) / 4 and Σ x² / n = 1/4, centred.
    for (const lambda of [0, 0.2, 0.5, 1]) {
      const { coefficients } = lasso(square, [1, 2, 4, 6], even, lambda);
      const soft = (value: number) => Math.sign(value) * Math.max(0, Math.abs(value) - lambda) * 4;
      expect(coefficients[0]).toBeCloseTo(soft(1.5 / 4), 6);
      expect(coefficients[1]).toBeCloseTo(soft(3.5 / 4), 6);
    }
  });

  test.each([1, 2, 3])('conditions of Karush, Kuhn and Tucker, seed %i', (seed) => {
    const { rows, y, weights } = randomSamples(seed, 60, 15);
    const largest = largestLambda(rows, y, weights);
    const lambda = largest / 10;
    const fit = lasso(rows, y, weights, lambda);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    fit.coefficients.forEach((coefficient, column) => {
      const slope =
        rows.reduce(
          (sum, row, sample) =>
            sum + (weights[sample] as number) * (row[column] as number) * ((y[sample] as number) - predict(fit, row)),
          0,
        ) / total;
      if (coefficient === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(lambda + 1e-6);
      else expect(slope).toBeCloseTo(Math.sign(coefficient) * lambda, 5);
    });
    expect(lasso(rows, y, weights, 1.0001 * largest).coefficients.every((value) => value === 0)).toBe(true);
    expect(lasso(rows, y, weights, 0.99 * largest).coefficients.filter((value) => value !== 0)).toHaveLength(1);
  });
});

test('least squares of dependent columns is the shortest solution', () => {
  const solution = solveLeastSquares(
    [
      [1, 1],
      [2, 2],
    ],
    [2, 4],
    [1, 1],
  );
  expect(solution[0]).toBeCloseTo(1, 8);
  expect(solution[1]).toBeCloseTo(1, 8);
});

test('R² is 1 for a perfect fit, 0 for the mean', () => {
  const y = [1, 2, 4, 5];
  expect(determination(ridge(square, y, even, 1e-12), square, y, even)).toBeCloseTo(1, 8);
  expect(determination({ intercept: 3, coefficients: Float64Array.of(0, 0) }, square, y, even)).toBeCloseTo(0, 12);
});
