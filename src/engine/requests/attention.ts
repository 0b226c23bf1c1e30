/** What the Attention view shows: all heads small, or one head large. */
import { headRange, layerRange, methodUnsupported, numeric } from '../../shared/errorCatalog.ts';
import { capturedPattern } from '../../attribution/capturedPattern.ts';
import { supportedMethods } from '../../attribution/registry.ts';
import type { Model } from '../../model/model.ts';
import type { AttentionGrid, AttentionGridRequest, AttentionHead, AttentionHeadRequest } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { tokenizePrompt } from './promptTokens.ts';

/** Larger thumbnails than this are pictures of their own: ask for the head. */
const largestThumbnail = 256;

/** Every head of every layer, max-pooled. One forward pass. @throws E_METHOD_UNSUPPORTED when the model shows no attention */
export async function attentionGrid(
  { model, signal, progress }: RequestContext,
  request: AttentionGridRequest,
): Promise<AttentionGrid> {
  checkCapture(model);
  const { tokens, ids, sourceMap } = await tokenizePrompt(model, request.prompt);
  const { layers, heads } = model.info;
  const size = Math.max(1, Math.min(Math.trunc(request.size) || 1, tokens.length, largestThumbnail));
  progress('attention', 0, 1);
  const result = await model.forward(
    {
      tokens: ids,
      capture: Array.from({ length: layers }, (_, layer) => ({
        site: { kind: 'pattern' as const, layer },
        reduce: { kind: 'thumbnail' as const, size },
      })),
    },
    { signal },
  );
  const thumbnails = new Float32Array(layers * heads * size * size); // [layers, heads, size, size]
  for (let layer = 0; layer < layers; layer++) thumbnails.set(capturedPattern(result, layer), layer * heads * size * size);
  progress('attention', 1, 1);
  return { tokens, sourceMap, layers, heads, size, thumbnails };
}

/** One head whole. @throws E_LAYER_RANGE, E_HEAD_RANGE, E_METHOD_UNSUPPORTED */
export async function attentionHead(
  { model, signal, progress }: RequestContext,
  request: AttentionHeadRequest,
): Promise<AttentionHead> {
  checkCapture(model);
  const { layer, head } = request;
  const { layers, heads } = model.info;
  if (!Number.isInteger(layer) || layer < 0 || layer >= layers) throw layerRange(`layer ${layer}`, layers);
  if (!Number.isInteger(head) || head < 0 || head >= heads) throw headRange(`layer ${layer}`, head, heads);
  const { tokens, ids, sourceMap } = await tokenizePrompt(model, request.prompt);
  progress('attention', 0, 1);
  const result = await model.forward(
    { tokens: ids, capture: [{ site: { kind: 'pattern', layer }, reduce: { kind: 'head', head } }] },
    { signal },
  );
  const values = capturedPattern(result, layer); // [query, key]
  if (!values.every(Number.isFinite)) throw numeric(`pattern.${layer}`);
  progress('attention', 1, 1);
  return { tokens, sourceMap, layer, head, shape: [tokens.length, tokens.length], values };
}

function checkCapture(model: Model): void {
  if (!model.info.can.capture) throw methodUnsupported('attention', 'a look at the attention inside', supportedMethods(model));
}
