import { areaUnder, deciles, deletionCurve } from '../curves.ts';
import type { Measure } from '../measure.ts';

/** Area under the deletion curve (Petsiuk et al. 2018, arXiv 1806.07421): the sooner the target falls, the smaller. */
export const deletion: Measure = {
  id: 'deletion-auc',
  label: 'Mean of the target while units go, the top ones first',
  better: 'lower',
  unit: 'target',
  ranks: 'author',
  value: (picture, valueWithout) => areaUnder(deletionCurve(picture, deciles(picture.ranking.length), valueWithout)),
};
