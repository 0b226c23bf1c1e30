import { type Coalition, coalitionOfBits, complementOf, type Game, uniformCoalition } from '../game.ts';
import type { AttributionMethod, AttributionOptions } from '../method.ts';
import { CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { seededRandom, shuffled } from '../seededRandom.ts';
import { solveLeastSquares } from '../surrogate/regression.ts';
import { efficiencyOf } from './efficiency.ts';

/**
 * KernelSHAP (Lundberg & Lee 2017, arXiv 1705.07874, theorem 2): Shapley values as the solution of a weighted regression over
 * coalitions, with efficiency as a constraint. The smallest and largest coalitions are enumerated while the samples last; of the
 * rest pairs of complements are drawn (Covert & Lee 2021, arXiv 2012.01536). Signed, in the target's unit. See docs/methods/kernel-shap.md.
 */
export const kernelShap: AttributionMethod = {
  id: 'kernel-shap',
  family: 'shapley',
  label: 'KernelSHAP',
  assumption: 'Shapley values estimated from a sample of combinations. They add up; single scores are as good as the sample.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Combinations', default: 128, minimum: 2, maximum: 8192, whole: true },
    replacementParameter,
  ],
  cost: (units) => Math.min(128, 2 ** units) / 2,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const { values, ends } = await kernelShapValues(game, Number(input.parameters['samples']), input.seed, options);
    return {
      scores: game.unitScores(values),
      forwardPasses: game.forwardPasses,
      completeness: efficiencyOf(values, ends[0], ends[1], game.evaluated),
      warnings: [],
    };
  },
};

/** @param samples coalitions beside the empty and the full one */
export async function kernelShapValues(
  game: Game,
  samples: number,
  seed: number,
  options: AttributionOptions = {},
): Promise<{ readonly values: Float64Array; readonly ends: readonly [number, number] }> {
  const { size } = game;
  const drawn = drawCoalitions(size, samples, seed);
  const all = [uniformCoalition(size, 0), uniformCoalition(size, 1), ...drawn.map(({ coalition }) => coalition)];
  const [nobody = 0, everybody = 0, ...worth] = await game.values(all, options);
  const total = everybody - nobody;
  if (size <= 1) return { values: new Float64Array(size).fill(total), ends: [nobody, everybody] };
  // Σ φ = total leaves size − 1 unknowns: the last player gets what the others leave.
  const last = size - 1;
  const rows = drawn.map(({ coalition }) =>
    Float64Array.from({ length: last }, (_, player) => (coalition[player] as number) - (coalition[last] as number)),
  );
  const targets = worth.map((value, index) => value - nobody - (drawn[index]?.coalition[last] as number) * total);
  const others = solveLeastSquares(
    rows,
    targets,
    drawn.map(({ weight }) => weight),
  );
  const values = Float64Array.from([...others, total - others.reduce((sum, value) => sum + value, 0)]);
  return { values, ends: [nobody, everybody] };
}

export interface WeightedCoalition {
  readonly coalition: Coalition;
  readonly weight: number;
}

/**
 * Coalitions of 1 to size − 1 players with the weights of the Shapley kernel. Sizes s and size − s together, from the outside in:
 * whole while all their coalitions fit, then pairs of complements of random sizes share the weight that is left.
 */
export function drawCoalitions(size: number, samples: number, seed: number): WeightedCoalition[] {
  if (size < 2) return [];
  if (size <= 20 && 2 ** size - 2 <= samples) {
    return Array.from({ length: 2 ** size - 2 }, (_, index) => {
      const coalition = coalitionOfBits(index + 1, size);
      return { coalition, weight: kernelWeight(membersOf(coalition), size) };
    });
  }
  const drawn: WeightedCoalition[] = [];
  let smallest = 1;
  for (; 2 * smallest <= size; smallest++) {
    const members = subsets(size, smallest, samples);
    if (members === null) break;
    const isMiddle = 2 * smallest === size;
    const both = isMiddle ? members : members.flatMap((coalition) => [coalition, complementOf(coalition)]);
    if (drawn.length + both.length > samples) break;
    for (const coalition of both) drawn.push({ coalition, weight: kernelWeight(membersOf(coalition), size) });
  }
  const sizes = Array.from({ length: Math.max(0, size - 2 * smallest + 1) }, (_, index) => smallest + index);
  const weights = sizes.map((members) => (size - 1) / (members * (size - members)));
  const left = weights.reduce((sum, weight) => sum + weight, 0);
  const pairs = Math.floor((samples - drawn.length) / 2);
  const random = seededRandom(seed);
  const everyone = Array.from({ length: size }, (_, player) => player);
  const counted = new Map<string, { readonly coalition: Coalition; times: number }>();
  const count = (coalition: Coalition): void => {
    const key = coalition.join('');
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { coalition, times: 1 });
    else known.times++;
  };
  for (let pair = 0; pair < pairs; pair++) {
    const members = sizes[pick(weights, left * random())] ?? smallest;
    const coalition = new Uint8Array(size);
    for (const player of shuffled(everyone, random).slice(0, members)) coalition[player] = 1;
    count(coalition);
    count(complementOf(coalition));
  }
  for (const { coalition, times } of counted.values()) drawn.push({ coalition, weight: (left * times) / (2 * pairs) });
  return drawn;
}

/** (size − 1) / (C(size, s) s (size − s)) */
function kernelWeight(members: number, size: number): number {
  return (size - 1) / (binomial(size, members) * members * (size - members));
}

function membersOf(coalition: Coalition): number {
  return coalition.reduce((sum, present) => sum + present, 0);
}

function binomial(n: number, k: number): number {
  let result = 1;
  for (let step = 1; step <= k; step++) result = (result * (n - k + step)) / step;
  return result;
}

/** All coalitions of `members` players, or null when there are more than `most`. */
function subsets(size: number, members: number, most: number): Coalition[] | null {
  if (binomial(size, members) > most) return null;
  const result: Coalition[] = [];
  const extend = (from: number, chosen: readonly number[]): void => {
    if (chosen.length === members) {
      const coalition = new Uint8Array(size);
      for (const player of chosen) coalition[player] = 1;
      result.push(coalition);
      return;
    }
    for (let player = from; player < size; player++) extend(player + 1, [...chosen, player]);
  };
  extend(0, []);
  return result;
}

/** Index of the weight into which `place`, counted from the first one's beginning, falls. */
function pick(weights: readonly number[], place: number): number {
  let passed = 0;
  const found = weights.findIndex((weight) => {
    passed += weight;
    return place < passed;
  });
  return found < 0 ? weights.length - 1 : found;
}
