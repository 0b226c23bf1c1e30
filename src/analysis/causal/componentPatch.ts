import type { Patch } from '../../model/model.ts';
import type { LayerSite } from '../../model/sites.ts';
import type { LayerActivations } from './activationRows.ts';
import type { Component } from './components.ts';

type Activations = ReadonlyMap<LayerSite, LayerActivations>;

/** What is captured of a run so that any part of it can be put into another one. */
export const componentSites = ['resid_pre', 'z', 'attn_out', 'mlp_out'] as const satisfies readonly LayerSite[];

export function activationsAt(activations: Activations, site: LayerSite): LayerActivations {
  const found = activations.get(site);
  if (found === undefined) throw new Error(`no activations at ${site}`);
  return found;
}

/** Puts what the embedding, a head, an attention block or an MLP gave in one run into another, at all positions. */
export function componentPatch(activations: Activations, { kind, layer, head }: Component): Patch {
  if (kind === 'embed') return activationsAt(activations, 'resid_pre').patchLayer(0);
  if (kind === 'head') return activationsAt(activations, 'z').patchHead(layer, head);
  return activationsAt(activations, kind === 'mlp' ? 'mlp_out' : 'attn_out').patchLayer(layer);
}
