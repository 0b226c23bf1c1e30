import { tooManyUnits } from '../../shared/errorCatalog.ts';
import { completenessOf } from '../gradient/completeness.ts';
import type { AttributionMethod } from '../method.ts';
import { allCoalitions, CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { shapleyValues } from './shapleyValues.ts';

/** 4,096 prompts. */
const mostPlayers = 12;

/**
 * Shapley values (Shapley 1953; Štrumbelj & Kononenko 2010): a unit's gain, averaged over all orders in which the units could have
 * been added. Every one of the 2^U coalitions is evaluated. Signed, in the target's unit; the scores add up to
 * f(prompt) − f(prompt without any unit). Template and control tokens always stay. See docs/methods/exact-shapley.md.
 */
export const exactShapley: AttributionMethod = {
  id: 'exact-shapley',
  family: 'shapley',
  label: 'Shapley values, exact',
  assumption: 'A fair share of the answer for each part, over all ways to leave parts out. At most 12 units.',
  needs: ['forward'],
  parameters: [replacementParameter],
  // Neighbouring coalitions share their beginnings: each costs about one unit's tokens. Evaluated whole, half the prompt.
  cost: (units, sharesBeginnings) => {
    const asked = Math.min(units, mostPlayers);
    return 2 ** asked / (sharesBeginnings ? Math.max(2, asked) : 2);
  },

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const players = game.units.length;
    if (players > mostPlayers) throw tooManyUnits('exact-shapley', players, mostPlayers);
    const values = await game.values(allCoalitions(players), options);
    const scores = game.unitScores(shapleyValues(values, players));
    return {
      scores,
      forwardPasses: game.forwardPasses,
      completeness: completenessOf(scores, [values[0] as number, values.at(-1) as number], game.evaluated),
      warnings: [],
    };
  },
};
