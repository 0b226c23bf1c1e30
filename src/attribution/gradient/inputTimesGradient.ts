import type { Tensor } from '../../model/model.ts';
import { sumByUnit } from '../scoredUnits.ts';
import type { AttributionMethod } from '../method.ts';
import { perRow, precisionParameter, promptGradient } from './promptGradient.ts';
import { perTokenParameter, responseMatrix } from './responseMatrix.ts';

const embed = { kind: 'embed' } as const;

/**
 * Input × gradient (Shrikumar et al. 2016, arXiv 1605.01713): x_t · d target / d x_t, the first-order estimate of what the target
 * loses when the token's embedding fades to zero. Signed, in the target's unit. A unit gets the sum over its tokens.
 * See docs/methods/input-x-gradient.md.
 */
export const inputTimesGradient: AttributionMethod = {
  id: 'input-x-gradient',
  family: 'gradient',
  label: 'Input × gradient',
  assumption:
    'What fading this word out would change, estimated from the slope at the prompt. Fast and signed; wrong where the model bends.',
  needs: ['capture', 'gradient'],
  parameters: [perTokenParameter, precisionParameter],
  cost: () => 2,

  async attribute(input, options = {}) {
    const result = await promptGradient(input, { at: [embed], capture: [embed] }, options);
    const products = (gradient: Tensor, embeddings: () => Tensor) => rowProducts(embeddings(), gradient, input.tokens.length);
    const { forwardPasses, ...perToken } = await responseMatrix(
      input,
      { scoresOf: products, withEmbeddings: true, perUnit: '' },
      options,
    );
    return {
      scores: sumByUnit(
        input.units,
        products(result.gradient(embed), () => result.captured(embed)),
      ),
      forwardPasses: result.forwardPasses + forwardPasses,
      ...perToken,
      precision: result.precision,
      warnings: [],
    };
  },
};

/** Inner products of the first `count` rows of two tensors [T, D]. */
export function rowProducts(left: Tensor, right: Tensor, count: number): Float64Array {
  return perRow(left, count, (from, to) => {
    let sum = 0;
    for (let at = from; at < to; at++) sum += (left.data[at] as number) * (right.data[at] as number);
    return sum;
  });
}
