import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import {
  foldsOf,
  largestPenalty,
  lasso,
  penaltyByCrossValidation,
  penaltyForCount,
  softThreshold,
} from '../../../src/attribution/surrogate/lasso.ts';
import { centre, predict, ridge, type Samples, weightedR2 } from '../../../src/attribution/surrogate/regression.ts';
import { spearman } from '../../../src/attribution/spearman.ts';
import { goldenTable } from './goldenTable.ts';

/** Every coalition of the stored table. */
function tableSamples(name: string): Samples {
  const { rows, values } = goldenTable(name);
  return { rows, values, weights: values.map(() => 1) };
}

function randomSamples(seed: number, count: number, columns: number): Samples {
  const random = seededRandom(seed);
  const truth = Array.from({ length: columns }, (_, column) => (column % 3 === 0 ? 4 * random() - 2 : 0));
  const rows = Array.from({ length: count }, () => Array.from({ length: columns }, () => (random() < 0.5 ? 0 : 1)));
  const values = rows.map((row) => row.reduce((sum, there, column) => sum + there * truth[column]!, 3 + random() - 0.5));
  return { rows, values, weights: rows.map(() => 0.1 + random()) };
}

const weightedSum = ({ rows, weights }: Samples, of: (sample: number) => number) =>
  rows.reduce((sum, _row, sample) => sum + weights[sample]! * of(sample), 0);

describe('ridge', () => {
  test('two columns, solved by hand', () => {
    // Centred columns are (−½, ½, −½, ½) and (−½, −½, ½, ½): XᵀX = I, Xᵀy = (1.5, 3.5), so b = Xᵀy / (1 + λ).
    const rows = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ];
    const samples = { rows, values: [1, 2, 4, 6], weights: [1, 1, 1, 1] };
    for (const lambda of [0, 1, 9]) {
      const { coefficients, intercept } = ridge(samples, lambda);
      const [a, b] = [1.5 / (1 + lambda), 3.5 / (1 + lambda)];
      expect(coefficients[0]).toBeCloseTo(a, 12);
      expect(coefficients[1]).toBeCloseTo(b, 12);
      expect(intercept).toBeCloseTo(3.25 - a / 2 - b / 2, 12);
    }
  });

  test.each([1, 2, 3])('normal equations of random weighted samples, seed %i', (seed) => {
    const samples = randomSamples(seed, 40, 12);
    const lambda = 0.7;
    const fit = ridge(samples, lambda);
    const error = (sample: number) => samples.values[sample]! - predict(fit, samples.rows[sample]!);
    expect(weightedSum(samples, error)).toBeCloseTo(0, 10);
    fit.coefficients.forEach((coefficient, column) => {
      const slope = weightedSum(samples, (sample) => samples.rows[sample]![column]! * error(sample));
      expect(slope).toBeCloseTo(lambda * coefficient, 10);
    });
  });

  test('a weight counts as that many samples', () => {
    const { rows, values } = randomSamples(4, 12, 5);
    const weights = rows.map((_row, sample) => 1 + (sample % 3));
    const repeated = weights.flatMap((weight, sample) => Array<number>(weight).fill(sample));
    const once = ridge({ rows, values, weights }, 0.3);
    const often = ridge(
      {
        rows: repeated.map((sample) => rows[sample]!),
        values: repeated.map((sample) => values[sample]!),
        weights: repeated.map(() => 1),
      },
      0.3,
    );
    once.coefficients.forEach((coefficient, column) => {
      expect(coefficient).toBeCloseTo(often.coefficients[column]!, 10);
    });
  });

  test('without a penalty, columns that others explain get 0 and the fit stays exact', () => {
    const rows = [
      [0, 1, 0],
      [1, 1, 1],
      [0, 1, 0],
      [1, 1, 1],
    ];
    const { coefficients, intercept } = ridge({ rows, values: [2, 5, 2, 5], weights: [1, 2, 3, 4] }, 0);
    expect([...coefficients].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([3, 0, 0]);
    expect(intercept).toBeCloseTo(2, 10);
  });

  test.each(['fact', 'ioi'])('all coalitions of %s: half the difference of means is the least squares fit', (name) => {
    // Over the whole cube centred columns are orthogonal, so b_u = mean of values with u − mean without u.
    const samples = tableSamples(name);
    const half = samples.rows.length / 2;
    const { coefficients, intercept } = ridge(samples, 0);
    coefficients.forEach((coefficient, unit) => {
      const difference = weightedSum(samples, (sample) => (2 * samples.rows[sample]![unit]! - 1) * samples.values[sample]!);
      expect(coefficient).toBeCloseTo(difference / half, 9);
    });
    const mean = weightedSum(samples, (sample) => samples.values[sample]!) / (2 * half);
    expect(intercept).toBeCloseTo(mean - coefficients.reduce((sum, value) => sum + value, 0) / 2, 9);
  });
});

describe('LASSO', () => {
  test.each(['fact', 'ioi'])('all coalitions of %s: soft thresholding of the least squares fit', (name) => {
    // Centred columns are orthogonal with mean square ¼: b = S(¼ b_ols, λ) / ¼.
    const samples = tableSamples(name);
    const free = ridge(samples, 0);
    for (const lambda of [0.05, 0.3, 0.6]) {
      const { coefficients } = lasso(samples, lambda);
      coefficients.forEach((coefficient, unit) => {
        expect(coefficient).toBeCloseTo(4 * softThreshold(free.coefficients[unit]! / 4, lambda), 9);
      });
      expect(coefficients.some((coefficient) => coefficient !== 0)).toBe(true);
    }
  });

  test.each([1, 2, 3, 4])('meets its optimality conditions on random samples, seed %i', (seed) => {
    // More columns than samples, too.
    const samples = randomSamples(seed, 30, seed % 2 === 0 ? 60 : 12);
    const lambda = 0.05;
    const fit = lasso(samples, lambda);
    const total = weightedSum(samples, () => 1);
    const error = (sample: number) => samples.values[sample]! - predict(fit, samples.rows[sample]!);
    expect(weightedSum(samples, error)).toBeCloseTo(0, 8);
    fit.coefficients.forEach((coefficient, column) => {
      const slope = weightedSum(samples, (sample) => samples.rows[sample]![column]! * error(sample)) / total;
      if (coefficient === 0) expect(Math.abs(slope)).toBeLessThan(lambda + 1e-4);
      else expect(slope).toBeCloseTo(Math.sign(coefficient) * lambda, 3);
    });
    expect(fit.coefficients.some((coefficient) => coefficient === 0)).toBe(true);
  });

  test('nothing is left at the largest penalty, and something just below', () => {
    const samples = randomSamples(5, 30, 10);
    const largest = largestPenalty(centre(samples));
    expect(lasso(samples, largest).coefficients.every((value) => value === 0)).toBe(true);
    expect(lasso(samples, largest * 0.99).coefficients.filter((value) => value !== 0)).toHaveLength(1);
  });

  test('a number of coefficients is kept', () => {
    const samples = randomSamples(6, 60, 12);
    const used = (count: number) =>
      lasso(samples, penaltyForCount(samples, count)).coefficients.filter((value) => value !== 0).length;
    expect([0, 1, 2, 4].map(used)).toEqual([0, 1, 2, 4]);
    for (const count of [6, 8, 10, 12]) expect(used(count)).toBeLessThanOrEqual(count);
  });

  test('cross-validation finds the columns that matter', () => {
    const samples = randomSamples(7, 80, 30);
    const lambda = penaltyByCrossValidation(samples);
    const fit = lasso(samples, lambda);
    const error = (penalty: number) =>
      foldsOf(samples).reduce((sum, { rest, left }) => {
        const other = lasso(rest, penalty);
        return left.reduce(
          (total, sample) =>
            total + samples.weights[sample]! * (samples.values[sample]! - predict(other, samples.rows[sample]!)) ** 2,
          sum,
        );
      }, 0);
    for (const factor of [0.3, 3]) expect(error(lambda)).toBeLessThan(error(lambda * factor));
    const strongest = [...fit.coefficients.keys()].sort(
      (a, b) => Math.abs(fit.coefficients[b]!) - Math.abs(fit.coefficients[a]!),
    );
    expect(strongest.slice(0, 8).every((column) => column % 3 === 0)).toBe(true);
  });

  test('values that do not vary', () => {
    const samples = { rows: [[0], [1], [1]], values: [2, 2, 2], weights: [1, 1, 1] };
    expect(lasso(samples, penaltyByCrossValidation(samples))).toEqual({ coefficients: Float64Array.of(0), intercept: 2 });
  });
});

test('folds leave out each sample once', () => {
  const samples = randomSamples(8, 23, 2);
  const folds = foldsOf(samples);
  expect(folds.flatMap(({ left }) => left).sort((a, b) => a - b)).toEqual(samples.rows.map((_row, index) => index));
  for (const { rest, left } of folds) expect(rest.rows.length + left.length).toBe(23);
});

test('weighted R²', () => {
  const values = [1, 2, 4];
  const weights = [1, 1, 2];
  // Mean 2.75; around it 3.0625 + 0.5625 + 2 · 1.5625 = 6.75.
  expect(weightedR2({ values, weights }, [1, 2, 4])).toBe(1);
  expect(weightedR2({ values, weights }, [2.75, 2.75, 2.75])).toBeCloseTo(0, 12);
  expect(weightedR2({ values, weights }, [1, 3, 4])).toBeCloseTo(1 - 1 / 6.75, 12);
  expect(weightedR2({ values: [2, 2], weights: [1, 1] }, [2, 2])).toBe(1);
  expect(weightedR2({ values: [2, 2], weights: [1, 1] }, [2, 3])).toBe(0);
});

test("Spearman's correlation", () => {
  expect(spearman([1, 5, 3], [10, 1000, 100])).toBeCloseTo(1, 12);
  expect(spearman([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / √(4.5 · 5).
  expect(spearman([0, 7, 7, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  expect(spearman([1, 1], [1, 2])).toBe(0);
});
