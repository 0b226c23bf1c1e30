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
  presence: 0.3,
  split: players >> 1,
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

  test('pairs share what stands before the split; each player is there as often as asked', () => {
    const drawn = sparsePrompts(game(20), draw(20, { budget: 2000 }));
    expect(drawn.length).toBeGreaterThan(4000);
    for (let pair = 0; pair < drawn.length; pair += 2) {
      expect(drawn[pair + 1]?.subarray(0, 10)).toEqual(drawn[pair]?.subarray(0, 10));
    }
    for (let player = 0; player < 20; player++) {
      const share = drawn.reduce((sum, coalition) => sum + (coalition[player] as number), 0) / drawn.length;
      expect(Math.abs(share - 0.3)).toBeLessThan(0.05);
    }
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
