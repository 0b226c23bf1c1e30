/** Which parts of a prompt are left in when words are ablated at random under a budget. */
import type { ModelInfo } from '../../model/model.ts';
import { sharedPasses } from '../perturbation/evaluateSequences.ts';
import { allCoalitions, type Coalition, type CoalitionGame } from '../perturbation/coalitions.ts';
import { seededRandom } from '../seededRandom.ts';

export interface SparseDraw {
  /** Probability with which a player is there, (0, 1). */
  readonly presence: number;
  /** Players before it are the same in both of a pair, see `middlePlayer`. */
  readonly split: number;
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
 * Random coalitions in pairs that share the players before `split`, as many as the budget buys; all there are, where it buys so many.
 * Each coalition alone has every player with the given probability, independently.
 */
export function sparsePrompts(
  game: Pick<CoalitionGame, 'units' | 'prompt'>,
  { presence, split, sharesBeginnings, budget, length, continuation, seed }: SparseDraw,
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
  const draw = () => (random() < presence ? 1 : 0);
  const coalitions: Coalition[] = [];
  let spent = 0;
  for (;;) {
    const first = Uint8Array.from({ length: players }, draw);
    const second = first.map((present, player) => (player < split ? present : draw()));
    // Pairs begin differently but for chance: what each costs alone is what it adds, or a little more.
    spent += cost([first, second]);
    if (spent > budget) return coalitions;
    coalitions.push(first, second);
  }
}

/** Players whose coalitions are counted at all. */
const mostExhaustive = 8;
