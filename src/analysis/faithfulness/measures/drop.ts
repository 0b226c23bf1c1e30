import { areaUnder, deciles, deletionCurve } from '../curves.ts';
import type { Measure } from '../measure.ts';

/** f(x) minus the mean height of the deletion curve, over the units of the reference set: comparable with its peers. */
export const drop: Measure = {
  id: 'drop',
  label: 'Mean fall of the target while units go, the top ones first; sinks are ranked too',
  better: 'higher',
  unit: 'target',
  ranks: 'sinks-too',
  value: (picture, valueWithout) =>
    valueWithout([]) - areaUnder(deletionCurve(picture, deciles(picture.ranking.length), valueWithout)),
};
