import { describe, expect, test } from 'vitest';
import { agreement } from '../../src/analysis/agreement.ts';
import { seededRandom } from '../../src/attribution/seededRandom.ts';

const units = Array.from({ length: 12 }, (_, unit) => unit);
const rising = units.map((unit) => unit);
const of = (scores: readonly number[], signed = true) => ({ scores, signed });

describe('agreement of two explanations', () => {
  test.each([
    ['the same', rising, 1, 1],
    ['the same in another unit', rising.map((score) => 100 * score - 3), 1, 1],
    ['the opposite', rising.map((score) => -score), -1, 0],
    ['one says nothing', rising.map(() => 4), 0, 0],
    // Top five 7 … 11 and 3 … 7, of which one is in both; ranks turned by four places: Σ d² = 8 · 16 + 4 · 64.
    ['turned by four', rising.map((unit) => (unit + 4) % 12), 1 - (6 * (8 * 16 + 4 * 64)) / (12 * 143), 1 / 9],
  ])('%s', (_name, other, correlation, overlap) => {
    const found = agreement(of(rising), of(other), units, 1);
    expect(found.correlation).toBeCloseTo(correlation, 12);
    expect(found.overlap).toBeCloseTo(overlap, 12);
    expect(found.count).toBe(5);
    expect(agreement(of(other), of(rising), units, 1).correlation).toBeCloseTo(correlation, 12);
  });

  test('where one is of sizes, sizes are compared', () => {
    const signed = units.map((unit) => (unit % 2 === 0 ? unit : -unit));
    expect(agreement(of(signed), of(rising, false), units, 1)).toMatchObject({ correlation: 1, overlap: 1 });
    expect(agreement(of(signed), of(rising), units, 1).correlation).toBeLessThan(0.9);
  });

  test('only the asked units count', () => {
    const spoiled = rising.map((score, unit) => (unit < 3 ? 1000 - score : score));
    expect(agreement(of(rising), of(spoiled), units.slice(3), 1)).toMatchObject({ correlation: 1, overlap: 1, count: 4 });
  });

  test('by chance: what every choice of top units shares with one, on average', () => {
    const six = units.slice(0, 6);
    const choices = Array.from({ length: 2 ** 6 }, (_, bits) => six.map((unit) => (bits >> unit) & 1)).filter(
      (chosen) => chosen.reduce((sum, one) => sum + one, 0) === 3,
    );
    expect(choices).toHaveLength(20);
    const found = choices.map((chosen) => agreement(of(rising), of(chosen), six, 1));
    const mean = found.reduce((sum, { overlap }) => sum + overlap, 0) / found.length;
    for (const { chanceOverlap } of found) expect(chanceOverlap).toBeCloseTo(mean, 12);
  });

  test('intervals hold what they should: certain where all agree, the truth in most samples', () => {
    const same = agreement(of(rising), of(rising), units, 1);
    expect(same.correlationInterval).toEqual([1, 1]);
    expect(same.overlapInterval).toEqual([1, 1]);
    expect(agreement(of(rising), of(rising.toReversed()), units, 3)).toEqual(
      agreement(of(rising), of(rising.toReversed()), units, 3),
    );
    // Pairs of independent scores: the truth is 0. A bootstrap of 20 units covers it a little less often than 95 %.
    const random = seededRandom(9);
    const many = Array.from({ length: 20 }, (_, unit) => unit);
    const numbers = () => many.map(() => random());
    const held = Array.from({ length: 30 }, () => agreement(of(numbers()), of(numbers()), many, 1).correlationInterval);
    expect(held.filter(([low, high]) => low <= 0 && high >= 0).length).toBeGreaterThanOrEqual(23);
  });
});
