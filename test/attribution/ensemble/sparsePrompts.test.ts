import { describe, expect, test } from 'vitest';
import { type SparseDraw, sparsePrompts } from '../../../src/attribution/ensemble/sparsePrompts.ts';
import { sharedPasses } from '../../../src/attribution/perturbation/evaluateSequences.ts';
import type { Coalition } from '../../../src/attribution/perturbation/coalitions.ts';

/** One token a player, and one more that always stays. */
const game = (players: number) => ({
  units: Array.from({ length: players }, (_, player) => player),
  prompt: (coalition: Coalition) =>
    Int32Array.from([...[...coalition].flatMap((present, player) => (present === 1 ? [player + 1] : [])), players + 1]),
});
const draw = (players: number, given: Partial<SparseDraw> = {}): SparseDraw => ({
  groups: 4,
  splits: [Math.floor(players / 4), players >> 1],
  sharesBeginnings: true,
  budget: 9,
  length: players + 1,
  continuation: 0,
  seed: 1,
  ...given,
});

describe('ablated prompts under a budget', () => {
  test.each([
    [12, 2, true],
    [30, 9, true],
    [30, 9, false],
    [30, 29, true],
    [200, 9, true],
    [200, 9, false],
  ])('%i players, %f passes, beginnings shared %s: as many as it buys, and no more', (players, budget, sharesBeginnings) => {
    const drawn = sparsePrompts(game(players), draw(players, { budget, sharesBeginnings }));
    const spent = sharedPasses({ sharesBeginnings }, drawn.map(game(players).prompt), players + 1, 0);
    expect(spent).toBeLessThanOrEqual(budget);
    expect(spent).toBeGreaterThan(budget * 0.6);
  });

  test('nine share what stands before the first split, three of them what stands before the second', () => {
    const drawn = sparsePrompts(game(20), draw(20, { budget: 2000 }));
    expect(drawn.length).toBeGreaterThan(4000);
    const beginning = (index: number, end: number) => drawn[index]?.subarray(0, end).join('');
    for (let tree = 0; tree + 9 <= drawn.length; tree += 9) {
      expect(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8].map((leaf) => beginning(tree + leaf, 5))).size).toBe(1);
      for (const branch of [0, 3, 6]) {
        expect(new Set([0, 1, 2].map((leaf) => beginning(tree + branch + leaf, 10))).size).toBe(1);
      }
    }
  });

  test('in each round each player is in one group of each dealing', () => {
    const drawn = sparsePrompts(game(20), draw(20, { budget: 2000 }));
    for (let round = 0; round + 36 <= drawn.length; round += 36) {
      for (const leaf of [0, 4, 8]) {
        const groups = [0, 9, 18, 27].map((tree) => drawn[round + tree + leaf] as Coalition);
        for (let player = 0; player < 20; player++) {
          expect(groups.reduce((sum, coalition) => sum + (coalition[player] as number), 0)).toBe(1);
        }
        const sizes = groups.map((coalition) => coalition.subarray(10).reduce((sum, present) => sum + present, 0));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1);
      }
    }
  });

  test('who is with whom is chance, within a stretch and across', () => {
    const drawn = sparsePrompts(game(20), draw(20, { budget: 2000 }));
    const together = (a: number, b: number) =>
      drawn.filter((coalition) => coalition[a] === 1 && coalition[b] === 1).length / drawn.length;
    // Ten players in groups of 3, 3, 2 and 2; five in groups of 2, 1, 1 and 1: ordered pairs of one group among all, over four groups.
    expect(Math.abs(together(10, 19) - (3 * 2 + 3 * 2 + 2 + 2) / (10 * 9 * 4))).toBeLessThan(0.01);
    expect(Math.abs(together(0, 4) - 2 / (5 * 4 * 4))).toBeLessThan(0.01);
    for (const [a, b] of [
      [3, 14],
      [3, 7],
      [7, 14],
    ] as const) {
      expect(Math.abs(together(a, b) - 1 / 16)).toBeLessThan(0.012);
    }
  });

  test('no split: each prompt for itself', () => {
    const drawn = sparsePrompts(game(20), draw(20, { splits: [], budget: 20 }));
    expect(new Set(drawn.map((coalition) => coalition.join(''))).size).toBeGreaterThan(0.95 * drawn.length);
  });

  test('few players: every coalition, once', () => {
    expect(new Set(sparsePrompts(game(3), draw(3)).map((coalition) => coalition.join(''))).size).toBe(8);
    expect(sparsePrompts(game(0), draw(0))).toEqual([new Uint8Array(0)]);
  });

  test('nothing left to spend: none', () => {
    expect(sparsePrompts(game(30), draw(30, { budget: 0.1 }))).toEqual([]);
  });

  test('the same seed, the same prompts; another seed, others', () => {
    const first = sparsePrompts(game(30), draw(30));
    expect(sparsePrompts(game(30), draw(30))).toEqual(first);
    expect(sparsePrompts(game(30), draw(30, { seed: 2 }))).not.toEqual(first);
  });
});
