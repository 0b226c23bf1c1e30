/** What cannot be done with some kinds of model, found from the file and from the surveyed graph. */
import type { ModelInfo } from '../model/model.ts';
import { type LayerSite, layerSites } from '../model/sites.ts';
import { type GgufHeader, metadataBoolean } from './gguf/ggufHeader.ts';
import type { SiteTable } from './graph/siteTable.ts';
import { architectureOf } from './modelInfo.ts';
import type { NativeModel } from './native/nativeModel.ts';

/** Why a model predicts no next token, or null when it does. Its tokeniser works all the same. */
export function evaluationRefusal({ functions, model }: NativeModel, header: GgufHeader): string | null {
  const architecture = architectureOf(header);
  const causal = metadataBoolean(header, `${architecture}.attention.causal`);
  if (causal === false || /bert|embedding|t5encoder/.test(architecture) || !functions.llama_model_has_decoder(model)) {
    return `it is an embedding model (${architecture}): it reads text but predicts no next token`;
  }
  if (functions.llama_model_has_encoder(model)) return `encoder–decoder models (${architecture}) are not supported`;
  if (functions.llama_model_is_diffusion(model)) return `diffusion models (${architecture}) are not supported`;
  return null;
}

/** Recurrent models cannot forget their last tokens, so nothing computed can be used twice. */
export function canShorten({ functions, model }: NativeModel): boolean {
  return !functions.llama_model_is_recurrent(model) && !functions.llama_model_is_hybrid(model);
}

/** Kinds of site that some layer does not show. */
function hiddenSites(sites: SiteTable, layers: number): LayerSite[] {
  return layerSites.filter((kind) => {
    for (let layer = 0; layer < layers; layer++) if (!sites.has(`${kind}.${layer}`)) return true;
    return false;
  });
}

/** Without the attention patterns and the residual stream of every layer, nothing useful can be shown. */
export function abilities(sites: SiteTable, layers: number, chat: boolean): ModelInfo['can'] {
  const hidden = hiddenSites(sites, layers);
  const visible = layers > 0 && !hidden.includes('pattern') && !hidden.includes('resid_post');
  return { capture: visible, patch: visible, gradient: visible && sites.has('embed'), chat };
}

export function limitNotes(refusal: string | null, sites: SiteTable, layers: number): string[] {
  if (refusal !== null) return [`It cannot be evaluated: ${refusal}.`];
  const hidden = hiddenSites(sites, layers);
  return hidden.length === 0 ? [] : [`Not visible in every layer of this architecture: ${hidden.join(', ')}.`];
}
