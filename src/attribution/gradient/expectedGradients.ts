import { sumByShownUnit } from '../scoredUnits.ts';
import { emptyPromptToken } from '../perturbation/emptyPrompt.ts';
import { meanOfSamples } from '../meanInterval.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { seededRandom } from '../seededRandom.ts';
import { completenessOf, gapWarning } from './completeness.ts';
import { embeddingsOf } from './embeddingPath.ts';
import { rowProducts } from './inputTimesGradient.ts';
import { precisionParameter, wholeSequence } from './promptGradient.ts';
import { Walk } from './walk.ts';

/**
 * Expected gradients (Erion et al. 2021, arXiv 1906.10670, equation 3; GradientSHAP): the mean of (x − b) · the gradient at a random
 * place between b and x, over random baselines b: prompts of the same length whose tokens are drawn from this one, or the empty one.
 * Signed, in the target's unit; in expectation the scores of all tokens add up to f(x) − the mean f(b). See
 * docs/methods/expected-gradients.md.
 */
export const expectedGradients: AttributionMethod = {
  id: 'expected-gradients',
  family: 'gradient',
  label: 'Expected gradients (GradientSHAP)',
  assumption: 'What this word adds compared with words drawn at random from the same prompt. Adds up only on average.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'samples', label: 'Baselines drawn', default: 16, minimum: 1, maximum: 1024, whole: true },
    { id: 'reference', label: 'Drawn from', default: 'prompt', choices: ['prompt', 'end-of-text'] },
    precisionParameter,
  ],
  // A sample: a forward pass for the baseline's embeddings, two for the target there and here, a gradient.
  cost: () => 80,

  async attribute(input, options = {}) {
    const { model, tokens, units, parameters } = input;
    const whole = wholeSequence(input);
    const { data: prompt, shape } = await embeddingsOf(model, whole, options.signal);
    const random = seededRandom(input.seed);
    const draw = await tokenSource(input, random);
    const walk = new Walk(input, options);
    const count = Number(parameters.samples);
    walk.announce(count);
    const samples: Float64Array[] = [];
    let baselines = 0;
    let value = 0;
    while (samples.length < count) {
      const drawn = whole.map((id, position) => (position < tokens.length ? draw() : id));
      const { data: baseline } = await embeddingsOf(model, drawn, options.signal);
      const gradient = await walk.along(baseline, prompt, [{ fraction: random(), weight: 1 }]);
      const difference = prompt.map((part, at) => part - (baseline[at] as number));
      samples.push(rowProducts({ shape, data: difference }, gradient, tokens.length));
      const [before, after] = await walk.ends(baseline, prompt);
      baselines += before / count;
      value = after;
    }
    const completeness = completenessOf(meanOfSamples(samples).means, [baselines, value], count);
    const { means, intervals } = meanOfSamples(samples.map((sample) => sumByShownUnit(units, sample)));
    return {
      scores: means,
      forwardPasses: 1 + count + walk.forwardPasses,
      precision: walk.precision,
      completeness,
      ...(intervals === undefined ? {} : { intervals }),
      warnings: gapWarning(
        completeness,
        `the mean over ${count} samples has not converged. Do not read single scores; take more samples.`,
      ),
    };
  },
};

/** Gives the token that stands at one position of a baseline. */
async function tokenSource({ model, tokens, parameters }: AttributionInput, random: () => number): Promise<() => number> {
  if (parameters.reference === 'end-of-text') {
    const empty = await emptyPromptToken(model.tokenizer);
    return () => empty;
  }
  return () => tokens[Math.floor(random() * tokens.length)]?.id ?? 0;
}
