import type { GradientOptions } from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { LoupeError } from '../../shared/errors.ts';
import { numeric, parameterInvalid } from '../../shared/errorCatalog.ts';
import { sumByUnit } from '../flow/attention.ts';
import { type BaselineName, difference, embeddingPath } from './embeddingPath.ts';
import { completenessOf, gapWarning } from './completeness.ts';
import { rowProducts } from './inputTimesGradient.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { doubledPoints, pathPoints, type PathPoint, type PathRule } from './pathRule.ts';
import {
  finiteTensor,
  gradientOptions,
  gradientPasses,
  precisionOf,
  precisionParameter,
  wholeSequence,
  withoutPlan,
} from './promptGradient.ts';

const embed = { kind: 'embed' } as const;

/** From this share of what the scores should add up to, the steps are enough. */
const closedGap = 0.01;

/**
 * Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365, equation 1): (x − b) · the mean gradient on the straight line
 * from a baseline b to the embeddings x of the prompt. Signed, in the target's unit; the scores of all tokens add up to
 * f(x) − f(b) as far as the steps suffice, and what is missing is part of the result. See docs/methods/integrated-gradients.md.
 */
export const integratedGradients: AttributionMethod = {
  id: 'integrated-gradients',
  family: 'gradient',
  label: 'Integrated gradients',
  assumption:
    'The gradient averaged on the way from an empty prompt to this one. Adds up where it converges; the gap says whether it did.',
  needs: ['capture', 'gradient'],
  parameters: [
    { id: 'steps', label: 'Steps at first', default: 20, minimum: 1, maximum: 256, whole: true },
    { id: 'maxSteps', label: 'Steps at most, doubled until the gap closes', default: 64, minimum: 1, maximum: 1024, whole: true },
    { id: 'rule', label: 'Rule', default: 'midpoint', choices: ['midpoint', 'trapezoid'] },
    { id: 'baseline', label: 'Baseline', default: 'end-of-text', choices: ['end-of-text', 'zero'] },
    precisionParameter,
  ],
  // 20 steps, then 40, each a forward and a backward pass.
  cost: () => 120,

  async attribute(input, options = {}) {
    const baseline = input.parameters.baseline === 'zero' ? 'zero' : 'end-of-text';
    const path = await embeddingPath(input, baseline, options);
    const walk = new Walk(input, path, options);
    const { scores, ...outcome } = await refined(input, walk, difference(path), baseline);
    const completeness = completenessOf(scores, outcome.values, outcome.points);
    return {
      scores: sumByUnit(input.units, scores),
      forwardPasses: path.forwardPasses + walk.forwardPasses,
      precision: walk.precision,
      completeness,
      warnings: gapWarning(completeness, notConverged(completeness.steps)),
    };
  },
};

interface Refined {
  /** [prompt tokens] */
  readonly scores: Float64Array;
  /** The target at the baseline and at the prompt. */
  readonly values: readonly [number, number];
  /** Points of the last, finest path. */
  readonly points: number;
}

function notConverged(points: number): string {
  return `with ${points} points the integral has not converged. Do not read single scores; try more steps, another baseline, or another method.`;
}

/** Doubles the steps until the gap is closed or the budget is spent. */
async function refined(input: AttributionInput, walk: Walk, delta: Tensor, baseline: BaselineName): Promise<Refined> {
  const { parameters, tokens } = input;
  const rule: PathRule = parameters.rule === 'trapezoid' ? 'trapezoid' : 'midpoint';
  const limit = Number(parameters.maxSteps);
  let steps = Number(parameters.steps);
  try {
    let integral = await walk.along(pathPoints(rule, steps));
    const ends = await walk.ends();
    for (;;) {
      const scores = rowProducts(delta, integral, tokens.length);
      const points = rule === 'trapezoid' ? steps + 1 : steps;
      const { share } = completenessOf(scores, ends, points);
      if ((share !== null && share < closedGap) || 2 * steps > limit) return { scores, values: ends, points };
      const { keep, points: added } = doubledPoints(rule, steps);
      integral = combined(keep, integral, await walk.along(added));
      steps *= 2;
    }
  } catch (error) {
    if (baseline !== 'zero' || !(error instanceof LoupeError) || error.code !== 'E_NUMERIC') throw error;
    const why = `near a baseline of zeros the gradient of this model has no finite value (${error.parts.what})`;
    throw parameterInvalid(
      'integrated-gradients',
      'baseline',
      why,
      'use the baseline end-of-text, or the rule midpoint with fewer steps',
    );
  }
}

/** Gradients along one path, call after call; counts what they cost. */
class Walk {
  readonly #input: AttributionInput;
  readonly #path: { readonly from: Tensor; readonly to: Tensor };
  readonly #options: AttributionOptions;
  #calls = 0;
  #points = 0;
  forwardPasses = 0;
  precision: Precision;

  constructor(input: AttributionInput, path: { readonly from: Tensor; readonly to: Tensor }, options: AttributionOptions) {
    this.#input = input;
    this.#path = path;
    this.#options = options;
    this.precision = precisionOf(input);
  }

  /** The target at the baseline and at the prompt: what the scores should add up to. No gradient is taken there. */
  async ends(): Promise<readonly [number, number]> {
    const points = [0, 1].map((fraction) => ({ fraction, weight: 0 }));
    const { values, plan } = await this.#model([], points);
    this.forwardPasses += gradientPasses(plan, this.#input);
    const [from = Number.NaN, to = Number.NaN] = values;
    return [from, to];
  }

  /** The weighted sum of the gradients at the input, [T, D]. */
  async along(points: readonly PathPoint[]): Promise<Tensor> {
    const before = this.#points;
    this.#points += points.length;
    const { gradients, plan } = await this.#model([embed], points, (done, total) =>
      this.#options.onProgress?.(before + done, before + total),
    );
    this.forwardPasses += points.length * gradientPasses(plan, this.#input);
    return finiteTensor(gradients, embed, 'the gradient at ');
  }

  async #model(at: readonly Site[], points: readonly PathPoint[], onProgress: GradientOptions['onProgress'] = () => undefined) {
    const { model, target, tokens } = this.#input;
    const result = await model.gradientAlong(
      {
        tokens: wholeSequence(this.#input),
        target: target.gradient(tokens.length),
        at,
        precision: this.precision,
        from: this.#path.from.data,
        to: this.#path.to.data,
        points,
      },
      gradientOptions(this.#calls++ === 0 ? this.#options : withoutPlan(this.#options), onProgress),
    );
    this.precision = result.precision;
    if (!result.values.every(Number.isFinite)) throw numeric('the target');
    return result;
  }
}

/** keep · before + after */
function combined(keep: number, before: Tensor, after: Tensor): Tensor {
  return { shape: after.shape, data: after.data.map((value, index) => keep * (before.data[index] as number) + value) };
}
