import type { Tensor } from '../../model/model.ts';
import { meanOfSamples } from '../meanInterval.ts';
import type { AttributionMethod } from '../method.ts';
import { sumByShownUnit } from '../scoredUnits.ts';
import { gaussian, seededRandom } from '../seededRandom.ts';
import { embeddingsOf } from './embeddingPath.ts';
import { rowProducts } from './inputTimesGradient.ts';
import { precisionParameter, wholeSequence } from './promptGradient.ts';
import { rowNorms } from './saliency.ts';
import { Walk } from './walk.ts';

/**
 * SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825): the mean of a gradient's picture over copies of the input embeddings with
 * Gaussian noise, so that what one exact place happens to show is averaged away. `l2`, `l1`: of the gradient's size, unsigned, in the
 * target's unit per unit of embedding; `input-x-gradient`: signed, in the target's unit. See docs/methods/smoothgrad.md.
 */
export const smoothgrad: AttributionMethod = {
  id: 'smoothgrad',
  family: 'gradient',
  label: 'SmoothGrad',
  assumption: 'The gradient averaged around the prompt, so that a wrinkle at one exact place counts less.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'score', label: 'Averaged', default: 'l2', choices: ['l2', 'l1', 'input-x-gradient'] },
    { id: 'samples', label: 'Noisy copies', default: 8, minimum: 1, maximum: 256, whole: true },
    { id: 'noise', label: 'Noise, as a share of the spread of the embeddings', default: 0.1, minimum: 0, maximum: 2 },
    precisionParameter,
  ],
  isUnsigned: ({ score }) => score !== 'input-x-gradient',
  cost: () => 17,

  async attribute(input, options = {}) {
    const { units, tokens, parameters, target } = input;
    const plain = await embeddingsOf(input.model, wholeSequence(input), options.signal);
    const prompt = (tokens.length * plain.data.length) / (tokens.length + target.continuation.length);
    const deviation = Number(parameters.noise) * spread(plain.data.subarray(0, prompt));
    const random = seededRandom(input.seed);
    const walk = new Walk(input, options);
    const count = Number(parameters.samples);
    walk.announce(count);
    const samples: Float32Array[] = [];
    while (samples.length < count) {
      const noisy = plain.data.map((value, at) => (at < prompt ? value + deviation * gaussian(random) : value));
      const gradient = await walk.at(noisy);
      samples.push(sumByShownUnit(units, scoresOf(String(parameters.score), { ...plain, data: noisy }, gradient, tokens.length)));
    }
    const { means, intervals } = meanOfSamples(samples);
    return {
      scores: means,
      forwardPasses: 1 + walk.forwardPasses,
      precision: walk.precision,
      ...(intervals === undefined ? {} : { intervals }),
      ...(parameters.score === 'input-x-gradient' ? {} : { scoreUnit: `${target.description.unit} per unit of embedding` }),
      warnings: [],
    };
  },
};

function scoresOf(score: string, input: Tensor, gradient: Tensor, count: number): Float64Array {
  return score === 'input-x-gradient' ? rowProducts(input, gradient, count) : rowNorms(gradient, count, score);
}

/** Standard deviation of all numbers. */
function spread(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
