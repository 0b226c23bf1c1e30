/** Which parts of a prompt are left in when words are ablated at random under a budget. */
import type { ModelInfo } from '../../model/model.ts';
import { sharedPasses } from '../perturbation/evaluateSequences.ts';
import { allCoalitions, type Coalition, type CoalitionGame } from '../perturbation/coalitions.ts';
import { seededRandom, shuffled } from '../seededRandom.ts';

export interface SparseDraw {
  /** A player is in one of this many prompts. */
  readonly groups: number;
  /** Players at which prompts that began alike part, rising. */
  readonly splits: readonly number[];
  /** Whether the model computes the beginnings that prompts share once. */
  readonly sharesBeginnings: ModelInfo['sharesBeginnings'];
  /** Forward passes the prompts may cost together. */
  readonly budget: number;
  /** Tokens of the whole prompt and of the target's continuation. */
  readonly length: number;
  readonly continuation: number;
  readonly seed: number;
}

/**
 * Random coalitions, as many as the budget buys; all there are, where it buys so many. They are drawn in rounds: a round deals the
 * players into groups, and each group is a coalition, so that each player is in equally many, which a few independent draws are far
 * from. At each split the players behind it are dealt three times: 3^splits coalitions of a group are a tree, whose trunk and
 * branches a model that shares beginnings evaluates once.
 */
export function sparsePrompts(
  game: Pick<CoalitionGame, 'units' | 'prompt'>,
  { groups, splits, sharesBeginnings, budget, length, continuation, seed }: SparseDraw,
): Coalition[] {
  const players = game.units.length;
  const cost = (coalitions: readonly Coalition[]) =>
    sharedPasses(
      { sharesBeginnings },
      coalitions.map((coalition) => game.prompt(coalition)),
      length,
      continuation,
    );
  if (players <= mostExhaustive) {
    const all = allCoalitions(players);
    if (cost(all) <= budget) return all;
  }
  const random = seededRandom(seed);
  const ends = [...splits, players];
  const coalitions: Coalition[] = [];
  let spent = 0;
  for (;;) {
    const dealings = ends.map((end, depth) =>
      Array.from({ length: branches ** depth }, () => dealt(ends[depth - 1] ?? 0, end, groups, random)),
    );
    for (let group = 0; group < groups; group++) {
      const tree = Array.from({ length: branches ** splits.length }, (_, leaf) =>
        Uint8Array.from(
          dealings.flatMap((dealing, depth) => dealing[Math.floor(leaf / branches ** (splits.length - depth))] ?? []),
          (dealtTo) => (dealtTo === group ? 1 : 0),
        ),
      );
      // Trees begin differently but for chance: what each costs alone is what it adds, or a little more.
      const before = spent;
      for (const [leaf, coalition] of tree.entries()) {
        spent = before + cost(tree.slice(0, leaf + 1));
        if (spent > budget) return coalitions;
        coalitions.push(coalition);
      }
    }
  }
}

/** [to − from] the group of each player; their sizes differ by one at most, and which are larger is chance. */
function dealt(from: number, to: number, groups: number, random: () => number): number[] {
  const first = Math.floor(random() * groups);
  return shuffled(
    Array.from({ length: to - from }, (_, place) => (place + first) % groups),
    random,
  );
}

/** Ways in which prompts that began alike go on. */
const branches = 3;
/** Players whose coalitions are counted at all. */
const mostExhaustive = 8;
