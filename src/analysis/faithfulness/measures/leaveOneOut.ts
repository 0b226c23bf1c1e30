import type { Measure } from '../measure.ts';
import { spearman } from '../../../attribution/spearman.ts';

/** Rank correlation of the scores with what leaving out each unit alone does; by size where the scores are sizes. */
export const leaveOneOut: Measure = {
  id: 'loo-correlation',
  label: 'Rank correlation with leaving out each unit alone',
  better: 'higher',
  unit: 'none',
  ranks: 'author',
  value({ ranking, scores, signed }, valueWithout) {
    const full = valueWithout([]);
    const effects = ranking.map((unit) => full - valueWithout([unit]));
    return spearman(
      ranking.map((unit) => scores[unit] ?? 0),
      signed ? effects : effects.map(Math.abs),
    );
  },
};
