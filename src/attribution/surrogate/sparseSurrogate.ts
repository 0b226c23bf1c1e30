import type { RowResult } from '../../model/model.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import type { ResolvedTarget } from '../target.ts';
import { ablationPasses, keepLastParameter, middlePlayer, randomCoalitions } from './ablations.ts';
import { largestPenalty, lasso, penaltyByCrossValidation, penaltyForCount } from './lasso.ts';
import { centre, predict, type Samples } from './regression.ts';
import { surrogateFit } from './surrogateFit.ts';

/**
 * Sparse linear surrogate from random ablations (ContextCite, Cohen-Wang et al. 2024, arXiv 2409.00729): a LASSO of the target over which
 * units are there. Scores are its coefficients, in the target's unit. Over a response the ablations are read once for
 * all its tokens, so that any other span of it needs no new run. See docs/methods/sparse-surrogate.md.
 */
export const sparseSurrogate: AttributionMethod = {
  id: 'sparse-surrogate',
  family: 'surrogate',
  label: 'Sparse surrogate (random ablations)',
  assumption: 'Few parts matter, and what they add up to is the answer. One run serves every span of a response.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 64, minimum: 2, maximum: 4096, whole: true },
    { id: 'lambda', label: 'Penalty on coefficients (0: by cross-validation)', default: 0, minimum: 0, maximum: 1e6 },
    {
      id: 'features',
      label: 'Most units with a score (0: as many as the penalty leaves)',
      default: 0,
      minimum: 0,
      maximum: 4096,
      whole: true,
    },
    replacementParameter,
    keepLastParameter,
  ],
  cost: (units, sharesBeginnings) => Math.min(64, 2 ** units) * ablationPasses(sharesBeginnings),

  async attribute(input, options = {}) {
    const { target, parameters } = input;
    const covered = responseSpan(input);
    const game = await CoalitionGame.open(input, {
      units: players(input, { keepLast: parameters['keepLast'] !== false }),
      ...(covered === null ? {} : { target: covered.response }),
    });
    const coalitions = randomCoalitions(game.units.length, Number(parameters['samples']), middlePlayer(game, input), input.seed);
    const rows = await game.rows(coalitions, options);
    const samplesOf = (value: (rows: readonly RowResult[]) => number): Samples => ({
      rows: coalitions,
      values: Float64Array.from(rows, value),
      weights: new Float64Array(coalitions.length).fill(1),
    });
    const samples = samplesOf((read) => target.value(covered === null ? read : read.slice(covered.from, covered.to + 1)));
    const lambda = penalty(samples, Number(parameters['lambda']), Number(parameters['features']));
    const fit = lasso(samples, lambda);
    const surrogate = (fitted: Samples) => {
      const other = lasso(fitted, lambda);
      return (row: ArrayLike<number>) => predict(other, row);
    };
    return {
      scores: game.unitScores(fit.coefficients),
      forwardPasses: game.forwardPasses,
      findings: { fit: surrogateFit(samples, (row) => predict(fit, row), surrogate) },
      ...(covered === null ? {} : { matrix: matrixOf(covered.response) }),
      warnings: [],
    };

    /** A fit for each response token; each takes the share of its own largest penalty that the target's fit takes of its. */
    function matrixOf(response: ResolvedTarget) {
      const largest = largestPenalty(centre(samples));
      const share = largest === 0 ? 0 : lambda / largest;
      const tokens = response.description.ids.map((_id, token) => token);
      const scores = tokens.map((token) => {
        const own = samplesOf((read) => response.parts?.(read)[token] ?? 0);
        return Array.from(game.unitScores(lasso(own, share * largestPenalty(centre(own))).coefficients));
      });
      return { rows: tokens, scores, unit: 'nat' };
    }
  },
};

/** The whole response and the part of it that the target reads; null where it reads something else, or it does not fit the model. */
function responseSpan({ target, response, tokens, model }: AttributionInput) {
  const { kind, span } = target.description;
  if (response === null || span === undefined || (kind !== 'response' && kind !== 'span')) return null;
  if (tokens.length + response.continuation.length > model.info.contextLength) return null;
  return { response, from: span[0], to: span[1] };
}

function penalty(samples: Samples, lambda: number, features: number): number {
  if (features > 0) return Math.max(lambda, penaltyForCount(samples, features));
  return lambda > 0 ? lambda : penaltyByCrossValidation(samples);
}
