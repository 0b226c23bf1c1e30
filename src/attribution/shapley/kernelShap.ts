import type { Warning } from '../../shared/explanation.ts';
import { completenessOf } from '../gradient/completeness.ts';
import type { AttributionMethod } from '../method.ts';
import { CoalitionGame } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { seededRandom } from '../seededRandom.ts';
import { constrainedRegression } from './constrainedRegression.ts';
import { kernelSample } from './kernelSample.ts';

const defaultSamples = 128;

/**
 * KernelSHAP (Lundberg & Lee 2017, arXiv 1705.07874): Shapley values estimated by one weighted regression over some coalitions.
 * With all of them it equals the exact values. Signed, in the target's unit; the scores add up to
 * f(prompt) − f(prompt without any unit). No coalition is evaluated twice. See docs/methods/kernel-shap.md.
 */
export const kernelShap: AttributionMethod = {
  id: 'kernel-shap',
  family: 'shapley',
  label: 'KernelSHAP',
  assumption: 'Shapley values estimated from some of the ways to leave parts out. More units need more samples.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Coalitions evaluated', default: defaultSamples, minimum: 2, maximum: 4096, whole: true },
    replacementParameter,
  ],
  cost: () => defaultSamples / 2,

  async attribute(input, options = {}) {
    const game = await CoalitionGame.open(input);
    const players = game.units.length;
    const sample = kernelSample(players, Number(input.parameters['samples'] ?? defaultSamples), seededRandom(input.seed));
    const nobody = new Uint8Array(players);
    const [none, all, ...values] = await game.values(
      [nobody, game.everybody(), ...sample.map(({ coalition }) => coalition)],
      options,
    );
    const ends = { none: none as number, all: all as number };
    const scores = game.unitScores(players === 0 ? [] : constrainedRegression(sample, values, { ...ends, players }));
    return {
      scores,
      forwardPasses: game.forwardPasses,
      completeness: completenessOf(scores, [ends.none, ends.all], game.evaluated),
      warnings:
        players > 1 && sample.length < Math.min(2 * players, 2 ** players - 2) ? [fewSamples(sample.length, players)] : [],
    };
  },
};

/** Said where not even each unit alone, and the prompt without it, was evaluated. */
function fewSamples(samples: number, units: number): Warning {
  const message =
    `${samples} coalitions are too few for ${units} units: single scores may be far off. ` +
    `Give at least ${2 * units} samples, use coarser units, or use partition-shapley.`;
  return { code: 'W_FEW_SAMPLES', message };
}
