import { topCount } from '../ablations.ts';
import { meanOf } from '../interval.ts';
import type { Measure, Picture, ValueWithout } from '../measure.ts';
import { percents } from './comprehensiveness.ts';

/** For each fraction q: f(x) − f(x with only the top ⌈qU⌉ of the ranked units) (DeYoung et al. 2020, arXiv 1911.03429, eq. 2). */
export function keepFalls({ ranking }: Picture, fractions: readonly number[], valueWithout: ValueWithout): number[] {
  const full = valueWithout([]);
  return fractions.map((fraction) => full - valueWithout(ranking.slice(topCount(fraction, ranking.length))));
}

/** The mean over fractions of how far the target falls with only the top units. */
export function sufficiency(id: string, fractions: readonly number[], ranks: Measure['ranks']): Measure {
  return {
    id,
    label: `Mean fall of the target with only the top ${percents(fractions)} of the units`,
    better: 'lower',
    unit: 'target',
    ranks,
    value: (picture, valueWithout) => meanOf(keepFalls(picture, fractions, valueWithout)),
  };
}
