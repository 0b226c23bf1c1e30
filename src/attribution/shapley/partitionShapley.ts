import type { Section, Unit } from '../../shared/tokens.ts';
import { type Coalition, type Game, uniformCoalition } from '../game.ts';
import type { AttributionMethod, AttributionOptions } from '../method.ts';
import { CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { efficiencyOf } from './efficiency.ts';

/**
 * Owen values (Owen 1977), the Shapley values of a game whose players form nested unions: here sections, and inside them halves
 * down to single units. What matters most is divided first; a part that the budget does not reach shares its value equally.
 * Signed, in the target's unit; adds up. See docs/methods/partition-shapley.md.
 */
export const partitionShapley: AttributionMethod = {
  id: 'partition-shapley',
  family: 'shapley',
  label: 'Owen values over sections',
  assumption: 'Shapley values in which sections stick together. Cheap where little matters; finer parts wait for the budget.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Combinations', default: 128, minimum: 2, maximum: 65536, whole: true },
    replacementParameter,
  ],
  cost: (units) => Math.min(128, units ** 2) / 2,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const tree = partitionTree(
      game.units.map((unit) => input.units[unit] as Unit),
      input.sections,
    );
    const { values, ends } = await owenValues(game, tree, Number(input.parameters['samples']), options);
    return {
      scores: game.unitScores(values),
      forwardPasses: game.forwardPasses,
      completeness: efficiencyOf(values, ends[0], ends[1], game.evaluated),
      warnings: [],
    };
  },
};

/** Players from `from` up to, not including, `to`; no parts: a single player. */
export interface Partition {
  readonly from: number;
  readonly to: number;
  readonly parts: readonly [Partition, Partition] | null;
}

/** A binary tree over units in the order of the text: first between outermost sections, then in halves. Null without units. */
export function partitionTree(units: readonly Unit[], sections: readonly Section[]): Partition | null {
  const outermost = sections.filter((section) => !sections.some((other) => isInside(section, other)));
  const sectionOf = units.map((unit) => outermost.findIndex((section) => section.start <= unit.start && unit.end <= section.end));
  const isBorder = (at: number) => sectionOf[at] !== sectionOf[at - 1];
  return units.length === 0 ? null : divide(0, units.length, isBorder);
}

function isInside(inner: Section, outer: Section): boolean {
  return (
    inner !== outer && outer.start <= inner.start && inner.end <= outer.end && outer.end - outer.start > inner.end - inner.start
  );
}

function divide(from: number, to: number, isBorder: (at: number) => boolean): Partition {
  if (to - from === 1) return { from, to, parts: null };
  const middle = (from + to) / 2;
  const inside = Array.from({ length: to - from - 1 }, (_, index) => from + 1 + index);
  const borders = inside.filter(isBorder);
  const cut = (borders.length > 0 ? borders : inside).reduce((best, at) =>
    Math.abs(at - middle) < Math.abs(best - middle) ? at : best,
  );
  return { from, to, parts: [divide(from, cut, isBorder), divide(cut, to, isBorder)] };
}

/** One question: what `part` adds to the players of `context`, and how much of the whole this question stands for. */
interface Open {
  readonly part: Partition;
  readonly context: Coalition;
  readonly without: number;
  readonly with: number;
  readonly weight: number;
}

/** Parts divided at once: enough to share beginnings, few enough that the largest really come first. */
const atOnce = 8;

/** @param samples coalitions that may be asked for beside the empty and the full one */
export async function owenValues(game: Game, tree: Partition | null, samples: number, options: AttributionOptions = {}) {
  const nothing = uniformCoalition(game.size, 0);
  const [nobody = 0, everybody = 0] = await game.values([nothing, uniformCoalition(game.size, 1)], withoutProgress(options));
  const values = new Float64Array(game.size);
  let open: Open[] = tree === null ? [] : [{ part: tree, context: nothing, without: nobody, with: everybody, weight: 1 }];
  let left = samples;
  while (left >= 2 && open.some(({ part }) => part.parts !== null)) {
    open.sort((a, b) => stake(b) - stake(a));
    const chosen = open.filter(({ part }) => part.parts !== null).slice(0, Math.min(atOnce, Math.floor(left / 2)));
    const questions = chosen.flatMap(({ part: { parts }, context }) =>
      parts === null ? [] : parts.map((part) => joined(context, part)),
    );
    const worth = await game.values(questions, withoutProgress(options));
    const next = chosen.flatMap(({ part: { parts }, context, without, with: both, weight }, index): Open[] => {
      if (parts === null) return [];
      const [first, second] = parts;
      const [onlyFirst = 0, onlySecond = 0] = worth.subarray(2 * index, 2 * index + 2);
      const half = weight / 2;
      return [
        { part: first, context, without, with: onlyFirst, weight: half },
        { part: first, context: joined(context, second), without: onlySecond, with: both, weight: half },
        { part: second, context, without, with: onlySecond, weight: half },
        { part: second, context: joined(context, first), without: onlyFirst, with: both, weight: half },
      ];
    });
    open = [...open.filter((question) => !chosen.includes(question)), ...next];
    left -= questions.length;
    options.onProgress?.(samples - left, samples);
  }
  for (const { part, without, with: both, weight } of open) {
    const share = (weight * (both - without)) / (part.to - part.from);
    for (let player = part.from; player < part.to; player++) values[player] = (values[player] as number) + share;
  }
  return { values, ends: [nobody, everybody] as const };
}

function stake({ without, with: both, weight }: Open): number {
  return Math.abs(both - without) * weight;
}

function joined(context: Coalition, { from, to }: Partition): Coalition {
  return context.slice().fill(1, from, to);
}

/** Progress is told in combinations of the whole run, not of one step. */
function withoutProgress({ signal }: AttributionOptions): AttributionOptions {
  return signal === undefined ? {} : { signal };
}
