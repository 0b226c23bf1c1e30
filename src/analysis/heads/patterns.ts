import type { Model } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { captureSites } from '../activations/captureSites.ts';

/** Floats of attention held at once. */
const heldFloats = 64 * 1024 * 1024;

/**
 * Attention of every layer, a few layers at a time so that long prompts fit.
 * @param visit gets one layer's pattern [H, T, T], which is not kept
 * @returns forward passes spent
 * @throws as `captureSites`
 */
export async function forEachPattern(
  model: Model,
  tokens: Int32Array,
  visit: (layer: number, pattern: Float32Array) => void,
  options: { readonly signal?: AbortSignal; readonly onLayer?: (done: number, total: number) => void } = {},
): Promise<number> {
  const { layers, heads } = model.info;
  const perPass = Math.max(1, Math.floor(heldFloats / (heads * tokens.length ** 2)));
  let passes = 0;
  for (let first = 0; first < layers; first += perPass) {
    const group = Array.from({ length: Math.min(perPass, layers - first) }, (_, index) => first + index);
    const sites = group.map((layer): Site => ({ kind: 'pattern', layer }));
    const captured = await captureSites(model, { tokens, sites }, options.signal);
    group.forEach((layer, index) => visit(layer, captured(sites[index] as Site)));
    passes++;
    options.onLayer?.(first + group.length, layers);
  }
  return passes;
}
