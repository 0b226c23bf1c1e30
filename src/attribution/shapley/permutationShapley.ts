import { completenessOf } from '../gradient/completeness.ts';
import { estimatedMean } from '../meanInterval.ts';
import type { AttributionMethod } from '../method.ts';
import { type Coalition, CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { seededRandom, shuffled } from '../seededRandom.ts';

const defaultPairs = 5;

/**
 * Shapley values by sampling orders of arrival (Castro et al. 2009; Štrumbelj & Kononenko 2010): a unit's mean gain where it arrives.
 * Each order is walked in both directions, which cancels much of the error (Mitchell et al. 2022, arXiv 2104.12199). Unbiased, with
 * a 95 % interval a unit; the scores add up to f(prompt) − f(prompt without any unit). See docs/methods/permutation-shapley.md.
 */
export const permutationShapley: AttributionMethod = {
  id: 'permutation-shapley',
  family: 'shapley',
  label: 'Shapley values from permutations',
  assumption: 'Shapley values estimated by adding the parts in random orders, with an interval that says how well each is known.',
  needs: ['forward'],
  parameters: [
    { id: 'pairs', label: 'Orders, each walked both ways', default: defaultPairs, minimum: 2, maximum: 512, whole: true },
    replacementParameter,
  ],
  cost: (units) => defaultPairs * units,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const players = game.units.length;
    const random = seededRandom(input.seed);
    const everybody = [...game.everybody().keys()];
    const pairs = Array.from({ length: Number(input.parameters['pairs'] ?? defaultPairs) }, () => shuffled(everybody, random));
    const orders = pairs.flatMap((order) => [order, [...order].reverse()]);
    const values = await game.values(orders.flatMap(arrivals), options);

    const gains = orders.map((order, index) => gainsInOrder(order, values.subarray(index * (players + 1))));
    const estimates = everybody.map((player) =>
      estimatedMean(pairs.map((_order, pair) => ((gains[2 * pair]?.[player] ?? 0) + (gains[2 * pair + 1]?.[player] ?? 0)) / 2)),
    );
    const scores = game.unitScores(estimates.map(({ mean }) => mean));
    const intervals = Array.from(scores, (): [number, number] => [0, 0]);
    game.units.forEach((unit, player) => {
      intervals[unit] = estimates[player]?.interval ?? [0, 0];
    });
    return {
      scores,
      intervals,
      forwardPasses: game.forwardPasses,
      completeness: completenessOf(scores, [values[0] as number, values[players] as number], game.evaluated),
      warnings: [],
    };
  },
};

/** [players + 1] coalitions: nobody, then one more at a time. */
function arrivals(order: readonly number[]): Coalition[] {
  const present = new Uint8Array(order.length);
  return [
    present.slice(),
    ...order.map((player) => {
      present[player] = 1;
      return present.slice();
    }),
  ];
}

/** [players] what each player added when it arrived. @param values of the coalitions of {@link arrivals} */
function gainsInOrder(order: readonly number[], values: Float64Array): Float64Array {
  const gains = new Float64Array(order.length);
  order.forEach((player, place) => {
    gains[player] = (values[place + 1] as number) - (values[place] as number);
  });
  return gains;
}
