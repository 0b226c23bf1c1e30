import { describe, expect, test } from 'vitest';
import { ridgeByLeaveOneOut } from '../../../src/attribution/ensemble/ridgeByLeaveOneOut.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { ridge } from '../../../src/attribution/surrogate/regression.ts';

const columns = 6;
const prior = [0.1, 0, 0.5, 0, 0, -0.2];

function randomSamples(seed: number, count: number) {
  const random = seededRandom(seed);
  const truth = [1.5, 0, 0.4, -2, 0, 0];
  const rows = Array.from({ length: count }, () => Array.from({ length: columns }, () => (random() < 0.5 ? 0 : 1)));
  const y = rows.map((row) => row.reduce<number>((sum, here, column) => sum + here * (truth[column] as number), 3 + random()));
  return { rows, y };
}

/** Ridge towards the prior: plain ridge on what the prior leaves. */
function fitWith(lambda: number, rows: readonly number[][], y: readonly number[]) {
  const ofPrior = (row: readonly number[]) => row.reduce((sum, here, column) => sum + here * (prior[column] as number), 0);
  const values = rows.map((row, sample) => (y[sample] as number) - ofPrior(row));
  const { coefficients, intercept } = ridge({ rows, values, weights: rows.map(() => 1) }, lambda);
  const whole = coefficients.map((value, column) => value + (prior[column] as number));
  return {
    coefficients: whole,
    intercept,
    predict: (row: readonly number[]) => row.reduce((sum, here, column) => sum + here * (whole[column] as number), intercept),
  };
}

describe('ridge towards a prior, with the penalty of least leave-one-out error', () => {
  test.each([1, 2, 3, 4])('equals fitting again without each sample, seed %i', (seed) => {
    const { rows, y } = randomSamples(seed, 14);
    const penalties = [0.5, 1, 2, 4, 8, 16, 32, 64, 128];
    const errors = penalties.map((lambda) =>
      rows.reduce((sum, row, left) => {
        const without = <T>(items: readonly T[]) => items.filter((_, index) => index !== left);
        return sum + ((y[left] as number) - fitWith(lambda, without(rows), without(y)).predict(row)) ** 2;
      }, 0),
    );
    const found = ridgeByLeaveOneOut(rows, y, prior);
    expect(found.lambda).toBe(penalties[errors.indexOf(Math.min(...errors))]);
    const fit = fitWith(found.lambda, rows, y);
    found.coefficients.forEach((value, column) => expect(value).toBeCloseTo(fit.coefficients[column] as number, 8));
    expect(found.intercept).toBeCloseTo(fit.intercept, 8);
  });

  test('more columns than samples, and none', () => {
    const { rows, y } = randomSamples(5, 4);
    expect(ridgeByLeaveOneOut(rows, y, prior).coefficients.every(Number.isFinite)).toBe(true);
    expect(ridgeByLeaveOneOut([[], []], [2, 4], [])).toMatchObject({ intercept: 3 });
  });

  test('a column that never varies keeps its prior', () => {
    expect(
      ridgeByLeaveOneOut(
        [
          [1, 0],
          [1, 1],
          [1, 0],
        ],
        [2, 5, 2],
        [0.25, 0],
      ).coefficients[0],
    ).toBeCloseTo(0.25, 12);
  });
});
