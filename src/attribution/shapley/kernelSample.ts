import { shuffled } from '../seededRandom.ts';
import type { Coalition } from '../perturbation/coalitions.ts';
import { binomial } from './shapleyValues.ts';

export interface WeightedCoalition {
  readonly coalition: Coalition;
  readonly weight: number;
}

/** Draws for each coalition that is wanted: drawing one again adds to its weight, and the draws must end. */
const drawsPerCoalition = 4;

/** Shares of a budget that should be whole numbers are so within this. */
const rounding = 1e-9;

/**
 * At most `budget` coalitions that are neither empty nor whole, and the weight of each in the regression, adding up to 1.
 * Deterministic for a `random`; all of them where they fit.
 *
 * The Shapley kernel gives all coalitions of size s together (U − 1) / (s (U − s)) (Lundberg & Lee 2017, arXiv 1705.07874,
 * theorem 2): the smallest and the largest weigh most. Sizes s and U − s are taken whole, from the outside in, while
 * the part of the budget that falls to them by weight holds them all. The rest of the budget is drawn from the sizes between, each
 * coalition together with its complement (paired sampling, Covert & Lee 2021, arXiv 2012.01536), and shares out the weight of
 * those sizes by how often it was drawn.
 */
export function kernelSample(players: number, budget: number, random: () => number): WeightedCoalition[] {
  const sizeWeights = Float64Array.from({ length: players + 1 }, (_, size) =>
    size === 0 || size === players ? 0 : 1 / (size * (players - size)),
  );
  const total = sizeWeights.reduce((sum, weight) => sum + weight, 0);
  const taken: WeightedCoalition[] = [];
  let openWeight = total;
  let size = 1;
  for (; 2 * size <= players; size++) {
    const ways = binomial(players, size);
    const isMiddle = 2 * size === players;
    const both = (sizeWeights[size] as number) * (isMiddle ? 1 : 2);
    if ((budget - taken.length) * (both / openWeight) < ways * (isMiddle ? 1 : 2) * (1 - rounding)) break;
    openWeight -= both;
    const weight = (sizeWeights[size] as number) / total / ways;
    for (const members of combinations(players, size)) {
      const coalition = Uint8Array.from({ length: players }, (_, player) => (members.includes(player) ? 1 : 0));
      taken.push({ coalition, weight });
      if (!isMiddle) taken.push({ coalition: complement(coalition), weight });
    }
  }
  return 2 * size > players ? taken : [...taken, ...drawn(sizeWeights, size, budget - taken.length, total, random)];
}

/** Pairs of coalitions of the sizes from `smallest` to `players − smallest`. */
function drawn(
  sizeWeights: Float64Array,
  smallest: number,
  budget: number,
  total: number,
  random: () => number,
): WeightedCoalition[] {
  const players = sizeWeights.length - 1;
  const open = sizeWeights.map((weight, size) => (size < smallest || size > players - smallest ? 0 : weight));
  const openWeight = open.reduce((sum, weight) => sum + weight, 0);
  const counts = new Map<string, { readonly coalition: Coalition; count: number }>();
  const count = (coalition: Coalition) => {
    const known = counts.get(coalition.join(''));
    if (known === undefined) counts.set(coalition.join(''), { coalition, count: 1 });
    else known.count++;
  };
  const everybody = Array.from({ length: players }, (_, player) => player);
  for (let draws = 0; counts.size + 2 <= budget && draws < drawsPerCoalition * budget; draws += 2) {
    const size = drawIndex(open, openWeight, random);
    const coalition = new Uint8Array(players);
    for (const player of shuffled(everybody, random).slice(0, size)) coalition[player] = 1;
    count(coalition);
    count(complement(coalition));
  }
  const drawnTimes = [...counts.values()].reduce((sum, entry) => sum + entry.count, 0);
  return [...counts.values()].map((entry) => ({
    coalition: entry.coalition,
    weight: ((openWeight / total) * entry.count) / drawnTimes,
  }));
}

function complement(coalition: Coalition): Coalition {
  return coalition.map((present) => 1 - present);
}

/** An index with probability weight / total. */
function drawIndex(weights: Float64Array, total: number, random: () => number): number {
  let rest = random() * total;
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  return index >= 0 ? index : weights.findLastIndex((weight) => weight > 0);
}

/** All ascending lists of `size` of the numbers below `count`. */
function* combinations(count: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) yield [];
  else
    for (let first = from; first <= count - size; first++) {
      for (const rest of combinations(count, size - 1, first + 1)) yield [first, ...rest];
    }
}
