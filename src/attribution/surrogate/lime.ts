import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import type { AttributionMethod } from '../method.ts';
import { ablationPasses, keepLastParameter, middlePlayer, randomCoalitions } from './ablations.ts';
import { lasso } from './lasso.ts';
import { predict, ridge, type Samples } from './regression.ts';
import { surrogateFit } from './surrogateFit.ts';

/**
 * LIME (Ribeiro et al. 2016, arXiv 1602.04938): a linear model of the target over which units are there, fitted to random ablations
 * of the prompt that count the more, the nearer they are to the whole prompt. Scores are its coefficients, in the target's unit: what a
 * unit adds on average. See docs/methods/lime.md.
 */
export const lime: AttributionMethod = {
  id: 'lime',
  family: 'surrogate',
  label: 'LIME (local linear surrogate)',
  assumption: 'Near this prompt, the answer is a sum of what each part adds. Says how well that holds.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 200, minimum: 2, maximum: 4096, whole: true },
    { id: 'regressor', label: 'Regression', default: 'ridge', choices: ['ridge', 'lasso'] },
    { id: 'kernelWidth', label: 'Width of the kernel, in cosine distance', default: 1, minimum: 0.01, maximum: 100 },
    { id: 'lambda', label: 'Penalty on coefficients', default: 0.01, minimum: 1e-6, maximum: 1e6 },
    replacementParameter,
    keepLastParameter,
  ],
  cost: (units, sharesBeginnings) => Math.min(200, 2 ** units) * ablationPasses(sharesBeginnings),

  async attribute(input, options = {}) {
    const { parameters } = input;
    const game = await CoalitionGame.open(input, { units: players(input, { keepLast: parameters['keepLast'] !== false }) });
    const ablated = randomCoalitions(game.units.length, Number(parameters['samples']), middlePlayer(game, input), input.seed);
    const values = await game.values(ablated, options);
    // The whole prompt counts most, and its value is known.
    const isComplete = ablated.length === 2 ** game.units.length;
    const rows = isComplete ? ablated : [game.everybody(), ...ablated];
    const width = Number(parameters['kernelWidth']);
    const samples: Samples = {
      rows,
      values: isComplete ? values : Float64Array.of(input.value, ...values),
      weights: Float64Array.from(rows, (row) => kernel(row, width)),
    };
    const regress = parameters['regressor'] === 'lasso' ? lasso : ridge;
    const lambda = Number(parameters['lambda']);
    const linear = regress(samples, lambda);
    const surrogate = (fitted: Samples) => {
      const other = regress(fitted, lambda);
      return (row: ArrayLike<number>) => predict(other, row);
    };
    return {
      scores: game.unitScores(linear.coefficients),
      forwardPasses: game.forwardPasses,
      findings: { fit: surrogateFit(samples, (row) => predict(linear, row), surrogate) },
      warnings: [],
    };
  },
};

/**
 * exp(−d² / width²), d = 1 − √(share of players there): the cosine distance between the coalition and the one of everybody, as
 * vectors of 0 and 1.
 */
export function kernel(coalition: ArrayLike<number>, width: number): number {
  const players = coalition.length;
  if (players === 0) return 1;
  const present = Array.from(coalition).reduce((count, there) => count + there, 0);
  const distance = 1 - Math.sqrt(present / players);
  return Math.exp(-(distance ** 2) / width ** 2);
}
