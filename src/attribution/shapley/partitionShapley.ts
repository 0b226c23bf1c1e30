import { completenessOf } from '../gradient/completeness.ts';
import type { AttributionMethod } from '../method.ts';
import { type Coalition, CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { unitTree } from '../unitTree.ts';
import { owenValues } from './owenValues.ts';

const defaultSamples = 128;

/**
 * Owen values over the prompt's own structure (Owen 1977; the partition explainer of Lundberg's shap): fair shares where sections
 * bargain with sections, and the sentences of a section and the words of a sentence among themselves. Signed, in the target's
 * unit; the scores add up to f(prompt) − f(prompt without any unit). See docs/methods/partition-shapley.md.
 */
export const partitionShapley: AttributionMethod = {
  id: 'partition-shapley',
  family: 'shapley',
  label: 'Owen values over sections',
  assumption: 'Fair shares along sections, sentences and words, refined where most happens. Far parts are left out as a whole.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Coalitions evaluated', default: defaultSamples, minimum: 2, maximum: 4096, whole: true },
    replacementParameter,
  ],
  // U units are fully refined after fewer than U² coalitions.
  cost: (units) => Math.min(defaultSamples, units * units) / 2,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const players = game.units.length;
    const budget = Number(input.parameters['samples'] ?? defaultSamples);
    let asked = 0;
    const worth = async (coalitions: readonly Coalition[]) => {
      const values = await game.values(coalitions, { ...options, onProgress: () => undefined });
      asked += coalitions.length;
      options.onProgress?.(asked, budget + 2);
      return values;
    };
    const [none = 0, all = 0] = await worth([new Uint8Array(players), game.everybody()]);
    const scores = game.unitScores(
      players === 0 ? [] : await owenValues(unitTree(input, game.units), { players, none, all, budget, worth }),
    );
    return {
      scores,
      forwardPasses: game.forwardPasses,
      completeness: completenessOf(scores, [none, all], game.evaluated),
      warnings: [],
    };
  },
};
