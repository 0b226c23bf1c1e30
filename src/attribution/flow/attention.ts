import type { CallOptions, Model } from '../../model/model.ts';
import type { Warning } from '../../shared/explanation.ts';
import { withContinuation } from '../perturbation/evaluateSequences.ts';
import { capturedPattern } from './capturedPattern.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { sumByUnit } from '../scoredUnits.ts';
import { rollOut } from './rollout.ts';

export const attentionWarning: Warning = {
  code: 'W_ATTENTION_NOT_ATTRIBUTION',
  message:
    'These are shares of attention, not effects on the answer: a token can be looked at and not used, or used without being looked at. Check with occlusion.',
};

/**
 * How much attention the rows that predict the target pay to each unit: a share in [0, 1], not in the target's unit.
 * `last-layer-mean`: mean over the heads of the last layer. `rollout`: attention followed through all layers
 * (Abnar & Zuidema 2020, arXiv 2005.00928). A unit gets the sum over its tokens, a longer target the mean over its rows.
 */
export const attention: AttributionMethod = {
  id: 'attention',
  family: 'flow',
  label: 'Attention',
  assumption: 'Where the model looked. Quick, but not what it used.',
  needs: ['forward', 'capture'],
  parameters: [{ id: 'aggregation', label: 'Layers', default: 'last-layer-mean', choices: ['last-layer-mean', 'rollout'] }],
  isUnsigned: () => true,
  cost: () => 1,

  async attribute(input, options = {}) {
    const { model, target } = input;
    const tokens = withContinuation(
      Int32Array.from(input.tokens, (token) => token.id),
      target.continuation,
    );
    const start = targetRowWeights(input);
    const last = model.info.layers - 1;
    const { mass, forwardPasses } =
      input.parameters.aggregation === 'rollout'
        ? await rollOut(model, tokens, start, options)
        : { mass: attentionFrom(start, await meanPattern(model, tokens, last, options)), forwardPasses: 1 };
    options.onProgress?.(1, 1);
    return { scores: sumByUnit(input.units, mass), forwardPasses, warnings: [attentionWarning] };
  },
};

/** [T of prompt and continuation] equal weights of the rows that predict the target, adding up to 1. */
export function targetRowWeights({ tokens, target }: Pick<AttributionInput, 'tokens' | 'target'>): Float64Array {
  const weights = new Float64Array(tokens.length + target.continuation.length);
  const rows = target.reads(tokens.length).map(({ position }) => position);
  for (const row of rows) weights[row] = (weights[row] ?? 0) + 1 / rows.length;
  return weights;
}

/** Head-mean attention of one layer, [query, key]. @throws E_NUMERIC, and as `Model.forward` */
async function meanPattern(model: Model, tokens: Int32Array, layer: number, options: CallOptions): Promise<Float32Array> {
  const result = await model.forward(
    { tokens, capture: [{ site: { kind: 'pattern', layer }, reduce: { kind: 'head-mean' } }] },
    options.signal === undefined ? {} : { signal: options.signal },
  );
  return capturedPattern(result, layer);
}

/** Weighted sum of the rows of `pattern` [query, key]. */
export function attentionFrom(weights: ArrayLike<number>, pattern: ArrayLike<number>): Float64Array {
  const size = weights.length;
  const mass = new Float64Array(size);
  for (let query = 0; query < size; query++) {
    const weight = weights[query] as number;
    if (weight === 0) continue;
    for (let key = 0; key <= query; key++) mass[key] = (mass[key] as number) + weight * (pattern[query * size + key] as number);
  }
  return mass;
}
