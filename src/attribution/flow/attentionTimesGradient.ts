import type { Tensor } from '../../model/model.ts';
import { sumByUnit } from '../scoredUnits.ts';
import type { AttributionMethod } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { weightedAttention } from './weightedAttention.ts';

/**
 * Attention × gradient (Hao et al. 2021, arXiv 2004.11207; the saliency score of Wang et al. 2023, arXiv 2305.14160): A ⊙ d target / d A,
 * added up over layers, heads and the queries that look at a token; in the target's unit. `absolute`: of magnitudes, unsigned.
 * See docs/methods/attention-x-gradient.md.
 */
export const attentionTimesGradient: AttributionMethod = {
  id: 'attention-x-gradient',
  family: 'flow',
  label: 'Attention × gradient',
  assumption:
    'Where the model looked, weighted by what looking there did for the answer. Blind to what attention does not carry.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'aggregation', label: 'Adding up', default: 'absolute', choices: ['absolute', 'signed'] },
    { id: 'layers', label: 'Layers', default: 'all', choices: ['all', 'last'] },
    precisionParameter,
  ],
  isUnsigned: ({ aggregation }) => aggregation !== 'signed',
  cost: () => 2,

  async attribute(input, options = {}) {
    const { layers } = input.model.info;
    const wanted = Array.from({ length: layers }, (_, layer) => layer).slice(input.parameters.layers === 'last' ? -1 : 0);
    const isSigned = input.parameters.aggregation === 'signed';
    const flow = new Float64Array(input.tokens.length + input.target.continuation.length);
    const spent = await weightedAttention(input, wanted, (_layer, weighted) => addByKey(flow, weighted, isSigned), options);
    return { scores: sumByUnit(input.units, flow), ...spent, warnings: [] };
  },
};

/** Adds what flows from each key to `flow` [T]. @param weighted [heads, query, key], causal */
function addByKey(flow: Float64Array, { data }: Tensor, isSigned: boolean): void {
  const size = flow.length;
  for (let row = 0; row < data.length / size; row++) {
    const query = row % size;
    for (let key = 0; key <= query; key++) {
      const part = data[row * size + key] as number;
      flow[key] = (flow[key] as number) + (isSigned ? part : Math.abs(part));
    }
  }
}
