/** Which units an answer needs least, settled by asking the model what those alone leave of it. */
import { type Coalition, type CoalitionGame } from '../perturbation/coalitions.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { deviation } from './deviation.ts';
import { gaussian, seededRandom, seedFor } from '../seededRandom.ts';

/** Shares of the players that are settled, one after the other: prompts of so few units cost little. */
const shares = [0.1, 0.2, 0.3] as const;
/** How far a guess strays from the scores, in their standard deviations. */
const stray = 0.5;
/** Guesses at one share, at most. */
const mostGuesses = 40;

/**
 * The players, the most needed first. Above the last third they stand as their scores say. Below, each share is the guess under which
 * the target is lowest when only the share (and what always stays) is left: the lowest scores themselves, and what noise in the
 * scores makes the lowest. What an earlier share has settled stays. Scores of a linear fit to few ablations are noisiest where
 * effects are small, and there a question costs least.
 * @param scores [players]; higher is needed more
 * @param budget forward passes, at most
 */
export async function settledTail(
  game: CoalitionGame,
  { seed }: Pick<AttributionInput, 'seed'>,
  scores: readonly number[],
  budget: number,
  { signal }: Pick<AttributionOptions, 'signal'> = {},
): Promise<number[]> {
  const guesses = [scores, ...strayed(scores, mostGuesses - 1, seed)];
  /** From the least needed up. */
  const tail: number[] = [];
  let left = budget;
  for (const [level, share] of shares.entries()) {
    const allowed = (left * share) / shares.slice(level).reduce((sum, other) => sum + other, 0);
    let asked = distinctTails(guesses, tail, Math.round(share * scores.length));
    let price = game.passes(asked);
    while (asked.length > 0 && price > allowed) {
      asked = asked.slice(0, -1);
      price = game.passes(asked);
    }
    // One alone would stand as it is.
    if (asked.length < 2) continue;
    left -= price;
    const values = await game.values(asked, signal === undefined ? {} : { signal });
    const chosen = asked[values.indexOf(Math.min(...values))] as Coalition;
    const added = scores.flatMap((_, player) => (chosen[player] === 1 && !tail.includes(player) ? [player] : []));
    tail.push(...added.sort((a, b) => below(scores, a, b)));
  }
  const head = scores.flatMap((_, player) => (tail.includes(player) ? [] : [player]));
  return [...head.sort((a, b) => -below(scores, a, b)), ...tail.toReversed()];
}

/** Scores with noise. */
function strayed(scores: readonly number[], count: number, seed: number): (readonly number[])[] {
  const random = seededRandom(seedFor('settledTail', seed));
  const spread = deviation(scores);
  return Array.from({ length: count }, () => scores.map((score) => score + stray * spread * gaussian(random)));
}

/** What is left when only `count` players are: those of the tail, and the lowest others by each guess. Each once. */
function distinctTails(guesses: readonly (readonly number[])[], tail: readonly number[], count: number): Coalition[] {
  const found = new Map<string, Coalition>();
  for (const guess of guesses) {
    const others = guess.flatMap((_, player) => (tail.includes(player) ? [] : [player]));
    const lowest = others.sort((a, b) => below(guess, a, b)).slice(0, Math.max(0, count - tail.length));
    const coalition = new Uint8Array(guess.length);
    for (const player of [...tail, ...lowest]) coalition[player] = 1;
    if (lowest.length > 0) found.set(coalition.join(''), coalition);
  }
  return [...found.values()];
}

/** Orders players from the lowest score up; of equal ones the later comes first, as rankings have it. */
function below(scores: readonly number[], a: number, b: number): number {
  return (scores[a] as number) - (scores[b] as number) || b - a;
}
