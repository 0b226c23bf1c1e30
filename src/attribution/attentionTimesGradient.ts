import type { Tensor } from '../model/model.ts';
import type { Site } from '../model/sites.ts';
import { sumByUnit } from './attention.ts';
import type { AttributionMethod } from './method.ts';
import { precisionParameter, promptGradient } from './promptGradient.ts';

/** Floats of attention and of its gradient held at once; longer prompts are differentiated in several passes over groups of layers. */
const heldFloats = 96 * 1024 * 1024;

/**
 * Attention × gradient (Hao et al. 2021, arXiv 2004.11207; the saliency score of Wang et al. 2023, arXiv 2305.14160): A ⊙ d target / d A,
 * added up over layers, heads and the queries that look at a token; in the target's unit. `absolute`: of magnitudes, unsigned.
 * See docs/methods/attention-x-gradient.md.
 */
export const attentionTimesGradient: AttributionMethod = {
  id: 'attention-x-gradient',
  label: 'Attention × gradient',
  assumption:
    'Where the model looked, weighted by what looking there did for the answer. Blind to what attention does not carry.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'aggregation', label: 'Adding up', default: 'absolute', choices: ['absolute', 'signed'] },
    { id: 'layers', label: 'Layers', default: 'all', choices: ['all', 'last'] },
    precisionParameter,
  ],
  cost: () => 2,

  async attribute(input, options = {}) {
    const { info } = input.model;
    const size = input.tokens.length + input.target.continuation.length;
    const wanted = Array.from({ length: info.layers }, (_, layer) => layer).slice(input.parameters.layers === 'last' ? -1 : 0);
    const perPass = Math.max(1, Math.floor(heldFloats / (2 * info.heads * size ** 2)));
    const isSigned = input.parameters.aggregation === 'signed';
    const flow = new Float64Array(size);
    let forwardPasses = 0;
    let precision = info.precision;
    for (let first = 0; first < wanted.length; first += perPass) {
      const sites = wanted.slice(first, first + perPass).map((layer): Site => ({ kind: 'pattern', layer }));
      const result = await promptGradient(input, { at: sites, capture: sites }, options);
      for (const site of sites) addByKey(flow, result.captured(site), result.gradient(site), isSigned);
      forwardPasses += result.forwardPasses;
      precision = result.precision;
    }
    return { scores: sumByUnit(input.units, flow), forwardPasses, precision, warnings: [] };
  },
};

/** Adds A · G to `flow` [T], by key. @param pattern A and @param gradient G, [heads, query, key], causal */
function addByKey(flow: Float64Array, pattern: Tensor, gradient: Tensor, isSigned: boolean): void {
  const size = flow.length;
  for (let row = 0; row < pattern.data.length / size; row++) {
    const query = row % size;
    for (let key = 0; key <= query; key++) {
      const product = (pattern.data[row * size + key] as number) * (gradient.data[row * size + key] as number);
      flow[key] = (flow[key] as number) + (isSigned ? product : Math.abs(product));
    }
  }
}
