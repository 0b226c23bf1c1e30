import { sumByUnit } from '../scoredUnits.ts';
import { rowProducts } from '../gradient/inputTimesGradient.ts';
import { precisionParameter, promptGradient } from '../gradient/promptGradient.ts';
import type { AttributionMethod } from '../method.ts';

const embed = { kind: 'embed' } as const;

/**
 * Layer-wise relevance propagation for transformers (AttnLRP, Achtibat et al. 2024, arXiv 2402.05602): what the target is made of is
 * handed back from operator to operator, as x_t · m_t with m a gradient by other rules (`gradient/rules/relevance` of either runtime). Signed, in
 * the target's unit. A unit gets the sum over its tokens. See docs/methods/attn-lrp.md.
 */
export const attnLrp: AttributionMethod = {
  id: 'attn-lrp',
  family: 'propagation',
  label: 'Relevance propagation (AttnLRP)',
  assumption:
    'What the answer was made of, handed back through every layer by fixed rules. Fast and signed; the rules are a choice.',
  needs: ['capture', 'gradient'],
  parameters: [precisionParameter],
  optIn:
    'The authors of layer-wise relevance propagation (LRP), of which AttnLRP is a form, state that they hold a patent on it: your use may need a licence from them.',
  cost: () => 2,

  async attribute(input, options = {}) {
    const result = await promptGradient(input, { at: [embed], capture: [embed], rules: 'relevance' }, options);
    const relevance = rowProducts(result.captured(embed), result.gradient(embed), input.tokens.length);
    return {
      scores: sumByUnit(input.units, relevance),
      forwardPasses: result.forwardPasses,
      precision: result.precision,
      warnings: [],
    };
  },
};
