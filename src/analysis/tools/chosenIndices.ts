import { headRange, layerRange } from '../../shared/errorCatalog.ts';

/** A layer or head that was asked for, or all of them where −1 was given. @throws E_LAYER_RANGE, E_HEAD_RANGE */
export function chosenIndices(what: 'layer' | 'head', chosen: number, count: number): number[] {
  if (chosen === -1) return Array.from({ length: count }, (_, index) => index);
  if (chosen < count) return [chosen];
  throw what === 'layer' ? layerRange(`layer ${chosen}`, count) : headRange('a layer', chosen, count);
}
