import { areaUnder, deciles, insertionCurve } from '../curves.ts';
import type { Measure } from '../measure.ts';

/** Area under the insertion curve (Petsiuk et al. 2018, arXiv 1806.07421): the sooner the target is back, the larger. */
export const insertion: Measure = {
  id: 'insertion-auc',
  label: 'Mean of the target while units come back, the top ones first',
  better: 'higher',
  unit: 'target',
  ranks: 'author',
  value: (picture, valueWithout) => areaUnder(insertionCurve(picture, deciles(picture.ranking.length), valueWithout)),
};
