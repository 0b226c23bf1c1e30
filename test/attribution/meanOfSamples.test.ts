import { expect, test } from 'vitest';
import { meanOfSamples, studentQuantile } from '../../src/attribution/meanInterval.ts';

// Printed tables of Student's t, 97.5 %.
test.each([
  [1, 12.706],
  [5, 2.571],
  [6, 2.447],
  [7, 2.365],
  [15, 2.131],
  [30, 2.042],
  [120, 1.98],
])('%i degrees of freedom', (degrees, expected) => {
  expect(Math.abs(studentQuantile(degrees) - expected)).toBeLessThan(2e-3);
});

test('mean and interval by hand', () => {
  const { means, intervals } = meanOfSamples([
    [1, 5],
    [2, 5],
    [3, 5],
  ]);
  expect([...means]).toEqual([2, 5]);
  // Standard deviation 1, three samples: 4.303 / √3.
  expect(intervals?.[0]?.[0]).toBeCloseTo(2 - 4.303 / Math.sqrt(3), 6);
  expect(intervals?.[0]?.[1]).toBeCloseTo(2 + 4.303 / Math.sqrt(3), 6);
  expect(intervals?.[1]).toEqual([5, 5]);
});

test('one sample has a mean and no interval', () => {
  expect(meanOfSamples([[7]])).toEqual({ means: Float32Array.of(7) });
});
