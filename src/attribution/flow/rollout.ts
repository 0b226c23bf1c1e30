import type { CallOptions, Model } from '../../model/model.ts';
import { capturedPattern } from './capturedPattern.ts';

/** Floats of attention held at once; longer prompts are read in several forward passes. */
const heldFloats = 64 * 1024 * 1024;

/**
 * Attention rollout (Abnar & Zuidema 2020, arXiv 2005.00928, equation 1): the product over layers of ½ A + ½ I, where A is the
 * mean over heads. Only the rows that `start` weights are wanted, so vectors are multiplied from the last layer down and no
 * product of matrices is ever made.
 * @param start [T] weights of the rows, adding up to 1
 * @returns mass: [T] how much of each input token flows into those rows, adding up to 1
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function rollOut(
  model: Model,
  tokens: Int32Array,
  start: Float64Array,
  options: CallOptions = {},
): Promise<{ readonly mass: Float64Array; readonly forwardPasses: number }> {
  const { layers } = model.info;
  const perPass = Math.max(1, Math.min(layers, Math.floor(heldFloats / tokens.length ** 2)));
  let mass = start;
  let forwardPasses = 0;
  for (let above = layers; above > 0; above -= perPass) {
    const below = Math.max(0, above - perPass);
    const wanted = Array.from({ length: above - below }, (_, index) => below + index);
    const result = await model.forward(
      { tokens, capture: wanted.map((layer) => ({ site: { kind: 'pattern', layer }, reduce: { kind: 'head-mean' } })) },
      options.signal === undefined ? {} : { signal: options.signal },
    );
    forwardPasses++;
    for (const layer of wanted.reverse()) mass = throughLayer(mass, capturedPattern(result, layer));
  }
  return { mass, forwardPasses };
}

/** mass · (½ A + ½ I), the rows of A adding up to 1. @param pattern A, [query, key], causal */
function throughLayer(mass: Float64Array, pattern: ArrayLike<number>): Float64Array {
  const size = mass.length;
  const result = new Float64Array(size);
  for (let query = 0; query < size; query++) {
    const half = (mass[query] as number) / 2;
    if (half === 0) continue;
    let rowSum = 0;
    for (let key = 0; key <= query; key++) rowSum += pattern[query * size + key] as number;
    const scale = rowSum > 0 ? half / rowSum : 0;
    for (let key = 0; key <= query; key++)
      result[key] = (result[key] as number) + scale * (pattern[query * size + key] as number);
    result[query] = (result[query] as number) + half;
  }
  return result;
}
