import { seededRandom, shuffled } from '../../attribution/seededRandom.ts';
import type { Patch } from '../../model/model.ts';
import type { LayerSite } from '../../model/sites.ts';
import type { LayerActivations } from './activationRows.ts';
import { activationsAt } from './componentPatch.ts';
import { type Component, componentLabel, headsAndMlps } from './components.ts';

interface Size {
  readonly layers: number;
  readonly heads: number;
}

/** Patches for the clean run that leave only these heads and MLPs as they are; all others give what they gave on the corrupted prompt. */
export function onlyComponents(
  corrupt: ReadonlyMap<LayerSite, LayerActivations>,
  kept: readonly Component[],
  { layers, heads }: Size,
): Patch[] {
  const names = new Set(kept.map(componentLabel));
  return Array.from({ length: layers }, (_, layer) => {
    const isOut = (component: Component) => !names.has(componentLabel(component));
    const outside = Array.from({ length: heads }, (_each, head) => head).filter((head) => isOut({ kind: 'head', layer, head }));
    return [
      ...outside.map((head) => activationsAt(corrupt, 'z').patchHead(layer, head)),
      ...(isOut({ kind: 'mlp', layer, head: -1 }) ? [activationsAt(corrupt, 'mlp_out').patchLayer(layer)] : []),
    ];
  }).flat();
}

/** As many heads and as many MLPs as there are in `like`, drawn evenly from the whole model. */
export function randomComponents(like: readonly Component[], size: Size, draws: number, seed: number): Component[][] {
  const random = seededRandom(seed);
  const all = headsAndMlps(size);
  const [heads, mlps] = (['head', 'mlp'] as const).map((kind) => all.filter((component) => component.kind === kind));
  const headCount = like.filter(({ kind }) => kind === 'head').length;
  return Array.from({ length: draws }, () => [
    ...shuffled(heads ?? [], random).slice(0, headCount),
    ...shuffled(mlps ?? [], random).slice(0, like.length - headCount),
  ]);
}

/** Every head and MLP that is not among these. */
export function otherComponents(components: readonly Component[], size: Size): Component[] {
  const names = new Set(components.map(componentLabel));
  return headsAndMlps(size).filter((component) => !names.has(componentLabel(component)));
}
