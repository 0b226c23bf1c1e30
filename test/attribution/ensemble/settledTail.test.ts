import { describe, expect, test } from 'vitest';
import { settledTail } from '../../../src/attribution/ensemble/settledTail.ts';
import { CoalitionGame } from '../../../src/attribution/perturbation/coalitions.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { createTableModel, tableInput } from '../tableModel.ts';

/** Twenty units that may go and one that stays; the target is the sum of what those that are there weigh. */
const weights = Array.from({ length: 20 }, (_, unit) => 3 * seededRandom(unit + 1)() - 0.5);
const groups = Array.from({ length: 21 }, (_, unit) => [unit]);
const sumOf = (players: readonly number[]) => players.reduce((sum, player) => sum + (weights[player] as number), 0);
const present = (bits: number) => weights.flatMap((_, unit) => (Math.floor(bits / 2 ** unit) % 2 === 1 ? [unit] : []));

async function settled(scores: readonly number[], budget: number, seed = 1) {
  const model = createTableModel(groups, (bits) => sumOf(present(bits)));
  const input = { ...(await tableInput(model, groups)), seed };
  const game = await CoalitionGame.open(input, { units: weights.map((_, unit) => unit) });
  return { order: await settledTail(game, input, scores, budget), game };
}

const falling = (scores: readonly number[]) =>
  scores.map((_, player) => player).sort((a, b) => (scores[b] as number) - (scores[a] as number));

describe('which units come last', () => {
  const right = falling(weights);

  test('right scores stay as they are, since nothing else leaves less', async () => {
    expect((await settled(weights, 20)).order).toEqual(right);
  });

  test('of scores with noise: what the last shares leave of the target is never more, and mostly less', async () => {
    let better = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(1000 + seed);
      const noisy = weights.map((weight) => weight + 2 * (random() - 0.5));
      const { order } = await settled(noisy, 6, seed);
      const before = falling(noisy);
      expect([...order].sort((a, b) => a - b)).toEqual(weights.map((_, player) => player));
      // Two of twenty are settled first.
      expect(sumOf(order.slice(-2))).toBeLessThanOrEqual(sumOf(before.slice(-2)) + 1e-9);
      if (sumOf(order.slice(-6)) < sumOf(before.slice(-6))) better++;
      // Above the last third the scores decide.
      const head = order.slice(0, -6);
      expect(head).toEqual(before.filter((player) => head.includes(player)));
    }
    expect(better).toBeGreaterThan(15);
  });

  test.each([0, 0.2, 1, 3, 6])('a budget of %f passes is kept', async (budget) => {
    const { game } = await settled([...weights].reverse(), budget);
    expect(game.forwardPasses).toBeLessThanOrEqual(budget);
    if (budget >= 1) expect(game.forwardPasses).toBeGreaterThan(budget / 3);
  });

  test('nothing to spend, equal scores, few units: the order of the scores, then of the text', async () => {
    expect((await settled([...weights].reverse(), 0)).order).toEqual(falling([...weights].reverse()));
    const flat = weights.map(() => 1);
    expect((await settled(flat, 5)).order).toEqual(flat.map((_, player) => player));
    expect((await settled([], 5)).order).toEqual([]);
  });

  test('the same seed, the same order; another seed, another', async () => {
    const scores = [...weights].reverse();
    const first = await settled(scores, 4, 7);
    expect((await settled(scores, 4, 7)).order).toEqual(first.order);
    expect((await settled(scores, 4, 8)).order).not.toEqual(first.order);
  });
});
