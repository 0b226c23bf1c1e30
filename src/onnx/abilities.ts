/** What cannot be done with some kinds of ONNX model, found from its recognised parts. */
import type { ModelInfo } from '../model/model.ts';
import { type LayerSite, layerSites } from '../model/sites.ts';
import type { OnnxSites } from './sites/onnxSite.ts';
import type { Structure } from './structure/recognise.ts';

/**
 * Without the attention patterns and the residual stream of every layer, nothing useful can be shown.
 * @param differentiable whether a gradient goes from the answer back to the embeddings
 */
export function abilities(
  sites: OnnxSites,
  { kind, layers }: Structure,
  { differentiable, chat }: { readonly differentiable: boolean; readonly chat: boolean },
): ModelInfo['can'] {
  const hidden = hiddenSites(sites, layers.length);
  const visible = layers.length > 0 && !hidden.includes('pattern') && !hidden.includes('resid_post');
  return {
    capture: visible,
    patch: visible,
    gradient: visible && sites.has('embed') && differentiable,
    chat: chat && kind === 'causal-lm',
  };
}

export function limitNotes(sites: OnnxSites, layers: number): string[] {
  const hidden = hiddenSites(sites, layers);
  return hidden.length === 0 ? [] : [`Not visible in every layer of this model: ${hidden.join(', ')}.`];
}

/** Kinds of site that some layer does not show. */
function hiddenSites(sites: OnnxSites, layers: number): LayerSite[] {
  return layerSites.filter((kind) =>
    Array.from({ length: layers }, (_, layer) => layer).some((layer) => !sites.has(`${kind}.${layer}`)),
  );
}
