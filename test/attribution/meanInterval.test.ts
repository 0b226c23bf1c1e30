import { expect, test } from 'vitest';
import { estimatedMean } from '../../src/attribution/meanInterval.ts';
import { seededRandom } from '../../src/attribution/seededRandom.ts';

test('closed forms', () => {
  // Mean 2, standard error 1 / √3, t = 4.303 with 2 degrees of freedom.
  const { mean, interval } = estimatedMean([1, 2, 3]);
  expect(mean).toBe(2);
  expect(interval[1]).toBeCloseTo(2 + 4.303 / Math.sqrt(3), 10);
  expect(interval[0] + interval[1]).toBeCloseTo(4, 10);
  expect(estimatedMean([7])).toEqual({ mean: 7, interval: [7, 7] });
  expect(estimatedMean([4, 4, 4, 4]).interval).toEqual([4, 4]);
});

test.each([
  [12, 2.201],
  [21, 2.086],
  [61, 2.0],
])('Student’s t of %i numbers', (count, quantile) => {
  // Half of them 1 above and half 1 below, and one in the middle where the count is odd.
  const sample = Array.from({ length: count }, (_, index) =>
    index === count - 1 && count % 2 === 1 ? 0 : index % 2 === 0 ? 1 : -1,
  );
  const ones = count - (count % 2);
  const error = Math.sqrt(ones / (count - 1) / count);
  expect(estimatedMean(sample).interval[1] / error).toBeCloseTo(quantile, 2);
});

test('95 % of the intervals hold the true mean', () => {
  const random = seededRandom(11);
  let held = 0;
  for (let round = 0; round < 2000; round++) {
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const [low, high] = estimatedMean(Array.from({ length: 5 }, normal)).interval;
    if (low <= 0 && high >= 0) held++;
  }
  expect(held / 2000).toBeGreaterThan(0.93);
  expect(held / 2000).toBeLessThan(0.97);
});
