import { seededRandom, shuffled } from '../../attribution/seededRandom.ts';
import type { Unit } from '../../shared/tokens.ts';
import type { Measure, Picture } from './measure.ts';

/** Random rankings that a picture is compared with, where the budget allows. */
export const mostRankings = 20;

/**
 * Units that a check may take away: the author's own. Control tokens and template text always stay, and so does the unit that
 * holds the last token, where the answer is read; sinks stay unless `sinks-too`.
 */
export function rankableUnits(units: readonly Unit[], tokenCount: number, ranks: Measure['ranks'] = 'author'): number[] {
  return units.flatMap((unit, index) => {
    const ranked = unit.kind === 'text' || (unit.kind === 'sink' && ranks === 'sinks-too');
    return ranked && !unit.tokens.includes(tokenCount - 1) ? [index] : [];
  });
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

/** The picture, then as many random ones: the same scores, dealt out to the units in random order. */
export function picturesOf(own: Omit<Picture, 'ranking'>, units: readonly number[], count: number): Picture[] {
  const ranking = rankByScore(units, own.scores);
  const falling = ranking.map((unit) => own.scores[unit] ?? 0);
  const random = randomRankings(units, count, own.seed).map((order) => {
    const scores = Array.from(own.scores);
    order.forEach((unit, place) => {
      scores[unit] = falling[place] as number;
    });
    return { ...own, ranking: order, scores };
  });
  return [{ ...own, ranking }, ...random];
}
