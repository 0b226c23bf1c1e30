import { LoupeError } from '../../shared/errors.ts';
import { parameterInvalid } from '../../shared/errorCatalog.ts';
import { sumByUnit } from '../scoredUnits.ts';
import { discretisedPath } from './discretisedPath.ts';
import { type BaselineName, difference, type EmbeddingPath, embeddingPath } from './embeddingPath.ts';
import { completenessOf, gapWarning } from './completeness.ts';
import { type GradientPath, sequentialPath, straightPath } from './gradientPath.ts';
import { rowProducts } from './inputTimesGradient.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { doubledPoints, pathPoints, type PathPoint, type PathRule } from './pathRule.ts';
import { precisionParameter } from './promptGradient.ts';
import { Walk } from './walk.ts';

const id = 'integrated-gradients';

/** From this share of what the scores should add up to, the steps are enough. */
const closedGap = 0.01;

/** Most points on all legs of a path together; only a path with a leg for each token comes near. */
const mostPoints = 8192;

/**
 * Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365, equation 1): (x − b) · the mean gradient on a path from a baseline b
 * to the embeddings x of the prompt: a straight line, one that bends at real embeddings, or one line for each token alone. Signed, in
 * the target's unit; the scores of all tokens add up to f(x) − f(b) (token by token: to the sum of those differences) as far as the
 * steps suffice, and what is missing is part of the result. See docs/methods/integrated-gradients.md.
 */
export const integratedGradients: AttributionMethod = {
  id,
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
    { id: 'path', label: 'Path', default: 'straight', choices: ['straight', 'discretised', 'sequential'] },
    precisionParameter,
  ],
  // 20 steps, then 40, each a forward and a backward pass.
  cost: () => 120,

  async attribute(input, options = {}) {
    const baseline = input.parameters.baseline === 'zero' ? 'zero' : 'end-of-text';
    const ends = await embeddingPath(input, baseline, options);
    const path = await pathOf(input, baseline, ends, options);
    const walk = new Walk(input, options);
    const { scores, ...outcome } = await refined(input, walk, path, ends.to.shape, baseline);
    const completeness = completenessOf(scores, outcome.values, outcome.points);
    return {
      scores: sumByUnit(input.units, scores),
      forwardPasses: ends.forwardPasses + path.forwardPasses + walk.forwardPasses,
      precision: walk.precision,
      completeness,
      warnings: gapWarning(completeness, notConverged(completeness.steps)),
    };
  },
};

/** @throws E_PARAMETER where the path does not fit the baseline, or would have too many points */
async function pathOf(
  input: AttributionInput,
  baseline: BaselineName,
  ends: EmbeddingPath,
  options: AttributionOptions,
): Promise<GradientPath> {
  switch (input.parameters.path) {
    case 'discretised': {
      if (baseline !== 'zero') return await discretisedPath(input, ends, options);
      const why = 'a path through embeddings of real tokens begins at one, and no token has an embedding of zeros';
      throw parameterInvalid(id, 'path', why, 'use the baseline end-of-text, or another path');
    }
    case 'sequential': {
      const path = sequentialPath(input, ends);
      const points = path.legs.length * Number(input.parameters.steps);
      if (points <= mostPoints) return path;
      const why = `${path.legs.length} tokens with ${String(input.parameters.steps)} steps each are ${points} gradients, and ${mostPoints} are allowed`;
      throw parameterInvalid(id, 'path', why, 'use fewer steps, a shorter prompt, or the path straight');
    }
    default:
      return straightPath(ends);
  }
}

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
async function refined(
  { parameters, tokens }: AttributionInput,
  walk: Walk,
  path: GradientPath,
  shape: readonly number[],
  baseline: BaselineName,
): Promise<Refined> {
  const rule: PathRule = parameters.rule === 'trapezoid' ? 'trapezoid' : 'midpoint';
  const { legs, share: part } = path;
  const limit = Math.min(Number(parameters.maxSteps) * part, mostPoints / Math.max(1, legs.length));
  let steps = Math.max(1, Math.round(Number(parameters.steps) * part));
  try {
    let scores = await legScores(walk, path, shape, tokens.length, pathPoints(rule, steps));
    const values = await endValues(walk, path);
    for (;;) {
      const points = legs.length * (rule === 'trapezoid' ? steps + 1 : steps);
      const { share } = completenessOf(scores, values, points);
      if (legs.length === 0 || (share !== null && share < closedGap) || 2 * steps > limit) return { scores, values, points };
      const { keep, points: added } = doubledPoints(rule, steps);
      const more = await legScores(walk, path, shape, tokens.length, added);
      scores = scores.map((score, token) => keep * score + (more[token] as number));
      steps *= 2;
    }
  } catch (error) {
    if (baseline !== 'zero' || !(error instanceof LoupeError) || error.code !== 'E_NUMERIC') throw error;
    const why = `near a baseline of zeros the gradient of this model has no finite value (${error.parts.what})`;
    throw parameterInvalid(id, 'baseline', why, 'use the baseline end-of-text, or the rule midpoint with fewer steps');
  }
}

/** (to − from) · the weighted gradients on each leg, added up: [prompt tokens]. */
async function legScores(
  walk: Walk,
  { legs }: GradientPath,
  shape: readonly number[],
  count: number,
  points: readonly PathPoint[],
): Promise<Float64Array> {
  const scores = new Float64Array(count);
  walk.announce(legs.length * points.length);
  for (const leg of legs) {
    const [from, to] = [leg.from(), leg.to()];
    const integral = await walk.along(from, to, points);
    rowProducts(difference({ from: { shape, data: from }, to: { shape, data: to } }), integral, count).forEach(
      (product, token) => {
        scores[token] = (scores[token] as number) + product;
      },
    );
  }
  return scores;
}

/** The target at the beginnings and at the ends of what the scores should add up to. */
async function endValues(walk: Walk, { ends }: GradientPath): Promise<readonly [number, number]> {
  let [before, after] = [0, 0];
  for (const end of ends) {
    const [from, to] = await walk.ends(end.from(), end.to());
    before += from;
    after += to;
  }
  return [before, after];
}
