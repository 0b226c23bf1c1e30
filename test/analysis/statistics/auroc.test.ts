import { expect, test } from 'vitest';
import { areaError, auroc } from '../../../src/analysis/statistics/auroc.ts';

test.each([
  ['perfect', [0.1, 0.2, 0.8, 0.9], [false, false, true, true], 1],
  ['reversed', [0.9, 0.8, 0.2, 0.1], [false, false, true, true], 0],
  ['all tied', [0.5, 0.5, 0.5, 0.5], [false, true, false, true], 0.5],
  // Pairs (positive, negative): 0.4 > 0.3, 0.4 < 0.6, 0.7 > 0.3, 0.7 > 0.6.
  ['three pairs of four', [0.3, 0.6, 0.4, 0.7], [false, false, true, true], 0.75],
  ['a tie counts half', [0.3, 0.3], [false, true], 0.5],
])('%s', (_name, scores, isPositive, area) => {
  expect(auroc(scores, isPositive)?.area).toBe(area);
});

test('one kind alone has no area', () => {
  expect(auroc([1, 2], [true, true])).toBeNull();
  expect(auroc([], [])).toBeNull();
});

test('the standard error at one half is that of the Mann–Whitney statistic without an effect', () => {
  // Var(U / mn) = (m + n + 1) / (12 mn) under the null hypothesis; the formula's exponential model agrees there.
  for (const [m, n] of [
    [3, 5],
    [10, 10],
    [40, 7],
  ] as const) {
    expect(areaError(0.5, m, n) ** 2).toBeCloseTo((m + n + 1) / (12 * m * n), 12);
  }
});

test('the interval ends where the area is 1.96 standard errors away, and does not close at 1', () => {
  const scores = [0.1, 0.35, 0.4, 0.2, 0.6, 0.7, 0.3, 0.9];
  const isPositive = [false, false, false, false, true, true, true, true];
  const found = auroc(scores, isPositive);
  expect(found?.area).toBe(0.875);
  for (const end of found?.interval ?? []) {
    if (end < 1) expect(Math.abs(0.875 - end)).toBeCloseTo(1.959963984540054 * areaError(end, 4, 4), 9);
  }
  const perfect = auroc([0, 1], [false, true]);
  expect(perfect?.interval[1]).toBe(1);
  expect(perfect?.interval[0]).toBeLessThan(0.6);
});
