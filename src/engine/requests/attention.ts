/** What the Attention view shows: all heads small, or one head large. */
import { headRange, layerRange, methodUnsupported, numeric } from '../../shared/errorCatalog.ts';
import { capturedPattern } from '../../attribution/flow/capturedPattern.ts';
import { supportedMethods } from '../../attribution/registry.ts';
import type { Model } from '../../model/model.ts';
import type {
  AttentionGrid,
  AttentionGridRequest,
  AttentionHead,
  AttentionHeadRequest,
  AttentionWeighting,
} from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { attentionWeighting } from './attentionWeighting.ts';
import { tokenizePrompt, type TokenizedPrompt } from './promptTokens.ts';
import { weightedThumbnail } from './weightedThumbnail.ts';

/** Larger thumbnails than this are pictures of their own: ask for the head. */
const largestThumbnail = 256;

/**
 * Every head of every layer, max-pooled. One forward pass, and one backward pass where it is weighted.
 * @throws E_METHOD_UNSUPPORTED when the model shows no attention; weighted, also as `attentionWeighting`
 */
export async function attentionGrid(context: RequestContext, request: AttentionGridRequest): Promise<AttentionGrid> {
  const { model, signal, progress } = context;
  checkCapture(model);
  const prompt = await tokenizePrompt(model, request.prompt);
  if (request.weighting !== undefined) return await weightedGrid(context, prompt, request.weighting, request.size);
  const { tokens, ids, sourceMap } = prompt;
  const { layers, heads } = model.info;
  const size = thumbnailSize(request.size, tokens.length);
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

async function weightedGrid(
  context: RequestContext,
  prompt: TokenizedPrompt,
  request: AttentionWeighting,
  wantedSize: number,
): Promise<AttentionGrid> {
  const { layers, heads } = context.model.info;
  const { tokens, weightedBy, run } = await attentionWeighting(context, prompt, request);
  const size = thumbnailSize(wantedSize, tokens.length);
  const thumbnails = new Float32Array(layers * heads * size * size); // [layers, heads, size, size]
  await run(
    Array.from({ length: layers }, (_, layer) => layer),
    (layer, weighted) => thumbnails.set(weightedThumbnail(weighted, size), layer * heads * size * size),
  );
  return { tokens, sourceMap: prompt.sourceMap, layers, heads, size, thumbnails, weightedBy };
}

/** One head whole. @throws E_LAYER_RANGE, E_HEAD_RANGE, E_METHOD_UNSUPPORTED; weighted, also as `attentionWeighting` */
export async function attentionHead(context: RequestContext, request: AttentionHeadRequest): Promise<AttentionHead> {
  const { model, signal, progress } = context;
  checkCapture(model);
  const { layer, head } = request;
  const { layers, heads } = model.info;
  if (!Number.isInteger(layer) || layer < 0 || layer >= layers) throw layerRange(`layer ${layer}`, layers);
  if (!Number.isInteger(head) || head < 0 || head >= heads) throw headRange(`layer ${layer}`, head, heads);
  const prompt = await tokenizePrompt(model, request.prompt);
  if (request.weighting !== undefined) return await weightedHead(context, prompt, request.weighting, { layer, head });
  const { tokens, ids, sourceMap } = prompt;
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

async function weightedHead(
  context: RequestContext,
  prompt: TokenizedPrompt,
  request: AttentionWeighting,
  { layer, head }: { readonly layer: number; readonly head: number },
): Promise<AttentionHead> {
  const { tokens, weightedBy, run } = await attentionWeighting(context, prompt, request);
  const { length } = tokens;
  let values = new Float32Array(0); // [query, key]
  await run([layer], (_layer, { data }) => {
    values = data.slice(head * length * length, (head + 1) * length * length);
  });
  return { tokens, sourceMap: prompt.sourceMap, layer, head, shape: [length, length], values, weightedBy };
}

function thumbnailSize(wanted: number, length: number): number {
  return Math.max(1, Math.min(Math.trunc(wanted) || 1, length, largestThumbnail));
}

function checkCapture(model: Model): void {
  if (!model.info.can.capture)
    throw methodUnsupported('attention', 'a look at the attention inside', supportedMethods(model.info.can));
}
