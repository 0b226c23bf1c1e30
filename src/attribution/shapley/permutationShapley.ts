import { type Game, uniformCoalition, withPlayer } from '../game.ts';
import type { AttributionMethod, AttributionOptions } from '../method.ts';
import { CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { meanInterval } from '../sampleInterval.ts';
import { seededRandom, shuffled } from '../seededRandom.ts';
import { efficiencyOf } from './efficiency.ts';

/**
 * Shapley values by sampling orders (Castro et al. 2009), each order and its reverse (Mitchell et al. 2022, arXiv 2104.12199): the
 * mean of what a unit adds when it joins. Signed, in the target's unit; adds up for any number of orders; every score has a 95 %
 * interval over the pairs of orders. See docs/methods/permutation-shapley.md.
 */
export const permutationShapley: AttributionMethod = {
  id: 'permutation-shapley',
  family: 'shapley',
  label: 'Shapley values, sampled orders',
  assumption: 'What a unit adds when units join in random order. Unbiased, adds up, and says how sure each score is.',
  needs: ['forward'],
  parameters: [
    { id: 'pairs', label: 'Pairs of orders', default: 4, minimum: 1, maximum: 1024, whole: true },
    replacementParameter,
  ],
  // Two orders a pair, a prompt a unit, half as long on average.
  cost: (units) => 4 * units,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const { values, intervals, ends } = await sampledShapley(game, Number(input.parameters['pairs']), input.seed, options);
    return {
      scores: game.unitScores(values),
      forwardPasses: game.forwardPasses,
      completeness: efficiencyOf(values, ends[0], ends[1], game.evaluated),
      ...(intervals === null ? {} : { intervals: game.unitIntervals(intervals) }),
      warnings: [],
    };
  },
};

export async function sampledShapley(game: Game, pairs: number, seed: number, options: AttributionOptions = {}) {
  const { size } = game;
  const random = seededRandom(seed);
  const everyone = Array.from({ length: size }, (_, player) => player);
  const orders = Array.from({ length: pairs }, () => shuffled(everyone, random)).flatMap((order) => [order, order.toReversed()]);
  const chains = orders.map((order) => {
    let coalition = uniformCoalition(size, 0);
    return [coalition, ...order.map((player) => (coalition = withPlayer(coalition, player, 1)))];
  });
  const worth = await game.values(chains.flat(), options);
  /** [pairs][players] mean of the two orders. */
  const gains = Array.from({ length: pairs }, () => new Float64Array(size));
  orders.forEach((order, index) => {
    const gain = gains[Math.floor(index / 2)] as Float64Array;
    order.forEach((player, place) => {
      const at = index * (size + 1) + place;
      gain[player] = (gain[player] as number) + ((worth[at + 1] as number) - (worth[at] as number)) / 2;
    });
  });
  const values = Float64Array.from(everyone, (player) => gains.reduce((sum, gain) => sum + (gain[player] as number), 0) / pairs);
  const intervals = pairs < 2 ? null : everyone.map((player) => meanInterval(gains.map((gain) => gain[player] as number)));
  return { values, intervals, ends: [worth[0] ?? 0, worth[size] ?? 0] as const };
}
