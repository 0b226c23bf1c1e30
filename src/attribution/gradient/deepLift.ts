import { numeric } from '../../shared/errorCatalog.ts';
import { sumByUnit } from '../scoredUnits.ts';
import type { AttributionMethod } from '../method.ts';
import { difference, embeddingPath } from './embeddingPath.ts';
import { completenessOf, gapWarning } from './completeness.ts';
import { rowProducts } from './inputTimesGradient.ts';
import {
  finiteTensor,
  gradientOptions,
  gradientPasses,
  precisionOf,
  precisionParameter,
  wholeSequence,
} from './promptGradient.ts';

const embed = { kind: 'embed' } as const;

const notShared =
  'what rounding changes between the two runs is shared out to nobody. Read single scores with care, or compute the weights dequantised.';

/**
 * DeepLIFT's rescale rule (Shrikumar et al. 2017, arXiv 1704.02685, section 3.5.1), carried to products, norms and the softmax
 * (`gradient/rules/rescale` of either runtime): (x_t − b_t) · m_t, where the multipliers m come of one backward pass over two forward passes, on the
 * prompt and on a baseline b, the end-of-text token at every prompt position. Signed, in the target's unit; the scores of all tokens add up to f(x) − f(b). See docs/methods/deeplift.md.
 */
export const deepLift: AttributionMethod = {
  id: 'deeplift',
  family: 'gradient',
  label: 'DeepLIFT (rescale)',
  assumption:
    'What sets this prompt apart from an empty one, shared out operator by operator. Always adds up; the sharing is a choice.',
  needs: ['capture', 'gradient'],
  parameters: [
    // As served, the rounding of activations belongs to no operator, and the parts would not add up.
    { ...precisionParameter, default: 'dequantised' },
  ],
  // Two embeddings, two forward passes, and a backward pass.
  cost: () => 5,

  async attribute(input, options = {}) {
    // Never from zeros: a norm near 0 is so steep that the multipliers overflow after a few layers.
    const path = await embeddingPath(input, 'end-of-text', options);
    const { plan, precision, targets } = await input.model.gradient(
      {
        tokens: wholeSequence(input),
        embeddings: path.to.data,
        reference: path.from.data,
        rules: 'rescale',
        targets: [input.target.gradient(input.tokens.length)],
        at: [embed],
        precision: precisionOf(input),
      },
      gradientOptions(options),
    );
    const [target] = targets;
    const { value = Number.NaN, referenceValue = Number.NaN } = target ?? {};
    if (target === undefined || !Number.isFinite(value - referenceValue)) throw numeric('the target');
    const multipliers = finiteTensor(target.gradients, embed, 'the multipliers at ');
    const scores = rowProducts(difference(path), multipliers, input.tokens.length);
    const completeness = completenessOf(scores, [referenceValue, value], 1);
    return {
      scores: sumByUnit(input.units, scores),
      forwardPasses: path.forwardPasses + gradientPasses(plan, input, 2),
      precision,
      completeness,
      warnings: gapWarning(completeness, notShared),
    };
  },
};
