import { expect, it } from 'vitest';
import { exponential } from '../../src/model/runtime/exponential.ts';

it('is exp to eight digits wherever a probability can be', () => {
  let largest = 0;
  for (let x = -700; x <= 0; x += 0.00731) largest = Math.max(largest, Math.abs(exponential(x) / Math.exp(x) - 1));
  expect(largest).toBeLessThan(1e-8);
  expect(exponential(0)).toBe(1);
  expect(exponential(-1e9)).toBe(0);
  expect(exponential(Number.NEGATIVE_INFINITY)).toBe(0);
  expect(exponential(-744)).toBeGreaterThanOrEqual(0);
});
