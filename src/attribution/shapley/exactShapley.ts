import { tooManyUnits } from '../../shared/errorCatalog.ts';
import { coalitionOfBits } from '../game.ts';
import type { AttributionMethod } from '../method.ts';
import { CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { efficiencyOf } from './efficiency.ts';
import { shapleyValues } from './shapleyValues.ts';

/** 4,096 prompts at most. */
const mostUnits = 12;

/**
 * Exact Shapley values (Shapley 1953; Lundberg & Lee 2017, arXiv 1705.07874, equation 4): a unit's mean effect over all orders in
 * which units can join the prompt. Signed, in the target's unit; they add up to f(prompt) − f(nothing). See docs/methods/exact-shapley.md.
 */
export const exactShapley: AttributionMethod = {
  id: 'exact-shapley',
  family: 'shapley',
  label: 'Shapley values, exact',
  assumption: 'A unit’s mean effect over every combination of the others. Exact and complete, for at most twelve units.',
  needs: ['forward'],
  parameters: [replacementParameter],
  cost: (units) => 2 ** Math.min(units, mostUnits) / 4,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    if (game.size > mostUnits) throw tooManyUnits('exact-shapley', game.size, mostUnits);
    const coalitions = Array.from({ length: 2 ** game.size }, (_, bits) => coalitionOfBits(bits, game.size));
    const values = await game.values(coalitions, options);
    const shapley = shapleyValues(values, game.size);
    return {
      scores: game.unitScores(shapley),
      forwardPasses: game.forwardPasses,
      completeness: efficiencyOf(shapley, values[0] as number, values.at(-1) as number, values.length),
      warnings: [],
    };
  },
};
