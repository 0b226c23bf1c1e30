import { seededRandom, shuffled } from '../../attribution/seededRandom.ts';
import type { Unit } from '../../shared/tokens.ts';

/**
 * Units that a check may take away: the author's own. Control tokens, template text and sinks always stay, and so does the
 * unit that holds the last token, where the answer is read.
 */
export function rankableUnits(units: readonly Unit[], tokenCount: number): number[] {
  return units.flatMap((unit, index) => (unit.kind === 'text' && !unit.tokens.includes(tokenCount - 1) ? [index] : []));
}

/** The units with the highest score first; equal scores keep the order of the text. */
export function rankByScore(units: readonly number[], scores: ArrayLike<number>): number[] {
  return [...units].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}

/** Rankings that know nothing, always the same for the same seed. */
export function randomRankings(units: readonly number[], count: number, seed: number): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => shuffled(units, random));
}
