import type { Warning } from '../../shared/explanation.ts';
import { methodUnsupported } from '../../shared/errorCatalog.ts';
import { type Completeness, completenessOf } from '../gradient/completeness.ts';
import type { AttributionMethod } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { added, logitParts } from './logitParts.ts';
import { preciseText } from '../../shared/numberText.ts';

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
    const parts = await logitParts(input, options);
    // Behind a norm, what all heads write together is turned into something of fixed size.
    if (!parts.isSum) {
      throw methodUnsupported(id, 'attention that is added to the residual stream without a norm of its own', [
        'attention-x-gradient',
        'gradient-x-activation',
        'saliency',
      ]);
    }
    const { embedding, heads, headTokens, mlps, attentionBiases, normBias, sum, expected, precision, forwardPasses } = parts;
    const reads = embedding.map((part, token) =>
      headTokens.flat().reduce((total, tokens) => total + (tokens[token] as number), part),
    );
    const completeness = completenessOf([sum], [0, expected], 1);
    return {
      scores: sumByShownUnit(input.units, reads),
      forwardPasses,
      precision,
      completeness,
      findings: {
        contributions: {
          embedding: added(embedding),
          heads: heads.map((layer) => [...layer]),
          mlps: [...mlps],
          bias: normBias + added(attentionBiases),
          sum,
        },
      },
      warnings: openSum(completeness),
    };
  },
};

/** From this share on, the picture carries a warning. */
const openGap = 0.05;

function openSum({ sum, expected, gap, share }: Completeness): Warning[] {
  if (share === null ? gap === 0 : share <= openGap) return [];
  const message =
    `The parts add up to ${preciseText(sum, 3)} and the target is ${preciseText(expected, 3)}: rounding in the quantised file, or a cap on ` +
    'the logits, stands between them.';
  return [{ code: 'W_COMPLETENESS_GAP', message }];
}
