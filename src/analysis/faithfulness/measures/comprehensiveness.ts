import { topCount } from '../ablations.ts';
import { meanOf } from '../interval.ts';
import type { Measure, Picture, ValueWithout } from '../measure.ts';

/** For each fraction q: f(x) − f(x without the top ⌈qU⌉ units) (DeYoung et al. 2020, arXiv 1911.03429, eq. 1). */
export function dropFalls({ ranking }: Picture, fractions: readonly number[], valueWithout: ValueWithout): number[] {
  const full = valueWithout([]);
  return fractions.map((fraction) => full - valueWithout(ranking.slice(0, topCount(fraction, ranking.length))));
}

/** The mean over fractions of how far the target falls without the top units. */
export function comprehensiveness(id: string, fractions: readonly number[], ranks: Measure['ranks']): Measure {
  return {
    id,
    label: `Mean fall of the target without the top ${percents(fractions)} of the units`,
    better: 'higher',
    unit: 'target',
    ranks,
    value: (picture, valueWithout) => meanOf(dropFalls(picture, fractions, valueWithout)),
  };
}

export function percents(fractions: readonly number[]): string {
  return `${fractions.map((fraction) => Math.round(100 * fraction)).join(', ')} %`;
}
