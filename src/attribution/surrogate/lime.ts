import type { AttributionMethod } from '../method.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { seededRandom } from '../seededRandom.ts';
import type { Coalition } from '../game.ts';
import { independentAblations } from './ablationDesign.ts';
import { keepLastParameter } from './keepLast.ts';
import { determination, largestLambda, lasso, type LinearFit, ridge } from './regression.ts';

/**
 * LIME (Ribeiro, Singh & Guestrin 2016, arXiv 1602.04938, equation 1): a linear model of the target over the presence of units, on
 * random ablations weighted by how near they are to the whole prompt. Signed, in the target's unit. See docs/methods/lime.md.
 */
export const lime: AttributionMethod = {
  id: 'lime',
  family: 'surrogate',
  label: 'LIME',
  assumption:
    'A linear model fitted on prompts with random parts missing. Robust and faithful; blind to what only acts together.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 200, minimum: 2, maximum: 8192, whole: true },
    { id: 'regressor', label: 'Regression', default: 'ridge', choices: ['ridge', 'lasso'] },
    {
      id: 'lambda',
      label: 'Penalty (lasso: in hundredths of the one that leaves nothing)',
      default: 1,
      minimum: 0,
      maximum: 1000,
    },
    { id: 'kernelWidth', label: 'Width of the kernel, in cosine distance', default: 1, minimum: 0.01, maximum: 100 },
    keepLastParameter,
    replacementParameter,
  ],
  cost: () => 100,

  async attribute(input, options = {}) {
    const { parameters, seed } = input;
    const game = await CoalitionGame.open(input, { units: players(input, { keepLast: parameters['keepLast'] === true }) });
    const samples = [
      new Uint8Array(game.size).fill(1),
      ...independentAblations(game.size, Number(parameters['samples']), seededRandom(seed)),
    ];
    const y = await game.values(samples, options);
    const weights = samples.map((sample) => kernel(sample, Number(parameters['kernelWidth'])));
    const fit = fitLinear(
      samples,
      y,
      weights,
      parameters['regressor'] === 'lasso' ? 'lasso' : 'ridge',
      Number(parameters['lambda']),
    );
    return {
      scores: game.unitScores(fit.coefficients),
      forwardPasses: game.forwardPasses,
      findings: { fit: { samples: game.evaluated, r2: determination(fit, samples, y, weights), intercept: fit.intercept } },
      warnings: [],
    };
  },
};

/** exp(−d² / width²), d = 1 − cosine of the coalition and the whole prompt = 1 − √(share present). */
function kernel(coalition: Coalition, width: number): number {
  const share = coalition.length === 0 ? 1 : coalition.reduce((sum, present) => sum + present, 0) / coalition.length;
  return Math.exp(-((1 - Math.sqrt(share)) ** 2) / width ** 2);
}

/** @param lambda ridge: the penalty; lasso: a share in [0, 1] of the smallest penalty that leaves no coefficient, by hundredths */
function fitLinear(
  samples: readonly Coalition[],
  y: Float64Array,
  weights: readonly number[],
  regressor: 'ridge' | 'lasso',
  lambda: number,
): LinearFit {
  if (regressor === 'ridge') return ridge(samples, y, weights, lambda);
  return lasso(samples, y, weights, Math.min(1, lambda / 100) * largestLambda(samples, y, weights));
}
