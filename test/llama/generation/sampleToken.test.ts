import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomNumbers } from '../../../src/model/runtime/randomNumbers.ts';
import { sampleToken } from '../../../src/model/runtime/sampleToken.ts';

test('same seed, same numbers; other seeds, other numbers', () => {
  const draw = (seed: number) => {
    const random = randomNumbers(seed);
    return Array.from({ length: 8 }, () => random());
  };
  expect(draw(1)).toEqual(draw(1));
  const seeds = [0, 1, 2, -1, 0.5, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1, 1e300];
  expect(new Set(seeds.map((seed) => draw(seed).join())).size).toBe(seeds.length);
});

test('numbers are spread evenly over [0, 1)', () => {
  const random = randomNumbers(7);
  const counts = new Array<number>(10).fill(0);
  for (let index = 0; index < 100_000; index++) {
    const value = random();
    expect(value >= 0 && value < 1).toBe(true);
    counts[Math.floor(value * 10)] = (counts[Math.floor(value * 10)] ?? 0) + 1;
  }
  // Binomial, standard deviation 95.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test.each([
  ['greedy takes the largest', [1, 3, 2], 0, 0.99, 1],
  ['of equals the smallest id', [3, 3, 3], 0, 0.99, 0],
  ['the first slice', [0, 0, 0, 0], 1, 0.24, 0],
  ['the last slice', [0, 0, 0, 0], 1, 0.76, 3],
  ['a forbidden token is never drawn', [Number.NEGATIVE_INFINITY, 0], 1, 0, 1],
  ['a low temperature is almost greedy', [1, 3, 2], 0.01, 0.999, 1],
])('%s', (_name, logits, temperature, random, expected) => {
  expect(sampleToken(Float32Array.from(logits), temperature, () => random)).toBe(expected);
});

test('draws follow softmax(logits / temperature)', () => {
  const random = randomNumbers(11);
  const logits = Float32Array.from([0, Math.log(2) * 2, Math.log(5) * 2]);
  const counts = [0, 0, 0];
  for (let draw = 0; draw < 80_000; draw++) {
    const id = sampleToken(logits, 2, random);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  // Shares 1/8, 2/8, 5/8.
  for (const [id, share] of [1, 2, 5].entries()) expect(Math.abs((counts[id] ?? 0) - share * 10_000)).toBeLessThan(700);
});

test('any logits and draw give a token of the vocabulary', () => {
  fc.assert(
    fc.property(
      fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (logits, temperature, draw) => {
        const id = sampleToken(logits, temperature, () => draw);
        return Number.isInteger(id) && id >= 0 && id < logits.length;
      },
    ),
    { seed: 5 },
  );
});
