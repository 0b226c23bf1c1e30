/** Every measure that compares an explanation with random ones on ablated prompts. Adding one is one file and one line here. */
import type { Measure } from './measure.ts';
import { comprehensiveness } from './measures/comprehensiveness.ts';
import { deletion } from './measures/deletion.ts';
import { drop } from './measures/drop.ts';
import { infidelity } from './measures/infidelity.ts';
import { insertion } from './measures/insertion.ts';
import { leaveOneOut } from './measures/leaveOneOut.ts';
import { sufficiency } from './measures/sufficiency.ts';

/** Raised whenever the same input would give other numbers, so that stored ones are not taken for new ones. */
export const measureVersion = 1;

/** Of the cheap check and of the reference set. */
export const checkFractions: readonly number[] = [0.1, 0.2, 0.5];
/** Of the full set (DeYoung et al. 2020, section 5). */
const allFractions: readonly number[] = [0.01, 0.05, 0.1, 0.2, 0.5];

export const measures: readonly Measure[] = [
  // The independent deletion test, exactly as the reference set defines it.
  drop,
  comprehensiveness('comp', checkFractions, 'sinks-too'),
  sufficiency('suff', checkFractions, 'sinks-too'),
  deletion,
  insertion,
  comprehensiveness('comprehensiveness', allFractions, 'author'),
  sufficiency('sufficiency', allFractions, 'author'),
  ...allFractions.flatMap((fraction) => [
    comprehensiveness(`comprehensiveness-${Math.round(100 * fraction)}`, [fraction], 'author'),
    sufficiency(`sufficiency-${Math.round(100 * fraction)}`, [fraction], 'author'),
  ]),
  leaveOneOut,
  infidelity,
];
