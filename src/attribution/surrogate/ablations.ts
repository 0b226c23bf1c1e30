/** Which parts of a prompt surrogates leave out: each player is there with probability ½. */
import { allCoalitions, type Coalition, type CoalitionGame } from '../perturbation/coalitions.ts';
import type { AttributionInput, MethodParameter } from '../method.ts';
import { seededRandom } from '../seededRandom.ts';

export const keepLastParameter: MethodParameter = {
  id: 'keepLast',
  label: 'Never leave out the unit that holds the last token',
  default: true,
};

/**
 * `samples` coalitions, each uniform over all of them; all there are, once each, where that is no more (number b holds player p
 * if bit p of b is set).
 *
 * They come in pairs that agree on the players before `split` and are each other's opposite from there on. A model evaluates what
 * a pair shares once. The estimate stays unbiased, because each coalition alone is uniform, and loses nothing that matters: in the
 * sum of a pair the additive effects of the second half cancel, in its difference those of the first, so each half
 * is estimated from as many equations as there are pairs, without the other's noise.
 */
export function randomCoalitions(players: number, samples: number, split: number, seed: number): Coalition[] {
  if (samples >= 2 ** players) return allCoalitions(players);
  const random = seededRandom(seed);
  const coalitions: Coalition[] = [];
  while (coalitions.length < samples) {
    const coalition = randomCoalition(players, random);
    coalitions.push(
      coalition,
      coalition.map((present, player) => (player < split ? present : 1 - present)),
    );
  }
  return coalitions.slice(0, samples);
}

/** Forward passes a random coalition costs, about: half the tokens are left, and where beginnings are shared a pair shares half of those. */
export function ablationPasses(sharesBeginnings: boolean): number {
  return sharesBeginnings ? 0.36 : 0.5;
}

/** Each player there with probability ½. */
export function randomCoalition(players: number, random: () => number): Coalition {
  return Uint8Array.from({ length: players }, () => (random() < 0.5 ? 0 : 1));
}

/** The first player behind the middle of the prompt, by tokens: what stands before is shared by a pair of ablations. */
export function middlePlayer(game: Pick<CoalitionGame, 'units'>, input: Pick<AttributionInput, 'units' | 'tokens'>): number {
  return playerBehind(0.5, game, input);
}

/** The first player that begins at or behind a share of the prompt's tokens; as many as there are players where none does. */
export function playerBehind(
  share: number,
  { units }: Pick<CoalitionGame, 'units'>,
  { units: all, tokens }: Pick<AttributionInput, 'units' | 'tokens'>,
): number {
  const behind = units.findIndex((unit) => (all[unit]?.tokens[0] ?? 0) >= share * tokens.length);
  return behind < 0 ? units.length : behind;
}
