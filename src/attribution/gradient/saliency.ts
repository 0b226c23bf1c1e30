import type { Tensor } from '../../model/model.ts';
import { sumByUnit } from '../scoredUnits.ts';
import type { AttributionMethod } from '../method.ts';
import { perRow, precisionParameter, promptGradient } from './promptGradient.ts';
import { perTokenParameter, responseMatrix } from './responseMatrix.ts';

const embed = { kind: 'embed' } as const;

/**
 * Saliency (Simonyan et al. 2013, arXiv 1312.6034; Li et al. 2016, arXiv 1506.01066): how steeply the target changes with a
 * token's embedding, ‖d target / d x_t‖. Unsigned, in the target's unit per unit of embedding. A unit gets the sum over its
 * tokens. See docs/methods/saliency.md.
 */
export const saliency: AttributionMethod = {
  id: 'saliency',
  family: 'gradient',
  label: 'Saliency (size of the gradient)',
  assumption: 'How sensitive the answer is to this word, up or down. Fast; says nothing of the direction.',
  needs: ['gradient'],
  parameters: [
    { id: 'norm', label: 'Norm of the gradient', default: 'l2', choices: ['l2', 'l1'] },
    perTokenParameter,
    precisionParameter,
  ],
  isUnsigned: () => true,
  cost: () => 2,

  async attribute(input, options = {}) {
    const result = await promptGradient(input, { at: [embed] }, options);
    const gradient = result.gradient(embed); // [T, D]
    const sizes = (of: Tensor) => rowNorms(of, input.tokens.length, String(input.parameters.norm));
    const { forwardPasses, ...perToken } = await responseMatrix(
      input,
      { scoresOf: sizes, withEmbeddings: false, perUnit: ' per unit of embedding' },
      options,
    );
    return {
      scores: sumByUnit(input.units, sizes(gradient)),
      forwardPasses: result.forwardPasses + forwardPasses,
      ...perToken,
      precision: result.precision,
      scoreUnit: `${input.target.description.unit} per unit of embedding`,
      warnings: [],
    };
  },
};

/** Sizes of the first `count` rows of a gradient [T, D]. @param norm `l2`, or `l1` for the sum of magnitudes */
export function rowNorms(gradient: Tensor, count: number, norm: string): Float64Array {
  const size = norm === 'l1' ? manhattan : euclidean;
  return perRow(gradient, count, (from, to) => size(gradient.data.subarray(from, to)));
}

function euclidean(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function manhattan(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}
