import type { Warning } from '../../shared/explanation.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import { type Completeness, completenessOf } from '../gradient/completeness.ts';
import type { AttributionMethod } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { finalDirection } from './finalDirection.ts';
import { headReads, type LayerParts } from './headReads.ts';

const id = 'logit-decomposition';

/**
 * Direct logit attribution (Elhage et al. 2021, "A mathematical framework for transformer circuits"; nostalgebraist 2020): the residual
 * stream behind the last layer is a sum of what embedding, heads and MLPs wrote into it, and so is the logit, with the scale of the last
 * norm held fast. A token's score is what all heads of all layers read from it at the rows that predict the target, plus its embedding
 * where it is such a row itself; signed, in the target's unit. What MLPs write belongs to no token and stands in the findings.
 * See docs/methods/logit-decomposition.md.
 */
export const logitDecomposition: AttributionMethod = {
  id,
  family: 'flow',
  label: 'Decomposition of the logit',
  assumption: 'What attention carried from this word straight into the answer. Blind to detours through other words and MLPs.',
  needs: ['capture', 'gradient'],
  parameters: [precisionParameter],
  // A gradient, then a forward pass for each group of layers and a few layers backward.
  cost: () => 8,

  async attribute(input, options = {}) {
    const final = await finalDirection(input, options);
    const { layers, forwardPasses } = await headReads(input, final, options);
    refuseNormedAttention(layers);
    const total = (part: (layer: LayerParts) => number) => layers.reduce((sum, layer) => sum + part(layer), 0);
    const embedding = final.embedding.reduce((sum, part) => sum + part, 0);
    const ofHeads = total(({ heads }) => added(heads));
    const contributions = {
      embedding,
      heads: layers.map(({ heads }) => [...heads]),
      mlps: layers.map(({ mlp }) => mlp),
      bias: final.bias + total(({ attention }) => attention) - ofHeads,
      sum: embedding + total(({ attention, mlp }) => attention + mlp) + final.bias,
    };
    const reads = final.embedding.map((part, token) => part + total(({ tokens }) => tokens[token] as number));
    const isLogit = input.target.gradient(input.tokens.length).kind === 'logit';
    const completeness = completenessOf([contributions.sum], [0, isLogit ? final.result.value : final.total], 1);
    return {
      scores: sumByShownUnit(input.units, reads),
      forwardPasses: final.forwardPasses + forwardPasses,
      precision: final.result.precision,
      completeness,
      findings: { contributions },
      warnings: openSum(completeness),
    };
  },
};

function added(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + part, 0);
}

/**
 * Behind a norm, what all heads write together is turned into something of fixed size, and the derivative along it is 0: then heads
 * cancel where they should add up to what attention gives.
 * @throws E_METHOD_UNSUPPORTED
 */
function refuseNormedAttention(layers: readonly LayerParts[]): void {
  const heads = layers.reduce((sum, layer) => sum + Math.abs(added(layer.heads)), 0);
  const attention = layers.reduce((sum, layer) => sum + Math.abs(layer.attention), 0);
  if (heads >= 0.2 * attention) return;
  throw methodUnsupported(id, 'attention that is added to the residual stream without a norm of its own', [
    'attention-x-gradient',
    'gradient-x-activation',
    'saliency',
  ]);
}

/** From this share on, the picture carries a warning. */
const openGap = 0.05;

function openSum({ sum, expected, gap, share }: Completeness): Warning[] {
  if (share === null ? gap === 0 : share <= openGap) return [];
  const message =
    `The parts add up to ${sum.toPrecision(3)} and the target is ${expected.toPrecision(3)}: rounding in the quantised file, or a cap on ` +
    'the logits, stands between them.';
  return [{ code: 'W_COMPLETENESS_GAP', message }];
}
