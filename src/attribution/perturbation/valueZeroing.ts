import type { Patch } from '../../model/model.ts';
import { attentionFrom, targetRowWeights } from '../flow/attention.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { shownUnits, sumByShownUnit } from '../scoredUnits.ts';
import { contextMixing } from './contextMixing.ts';
import { patchedValues } from './maskedValues.ts';

/**
 * Value zeroing (Mohebbi et al. 2023, arXiv 2301.12971): others still look at a unit and get nothing from it. See
 * docs/methods/value-zeroing.md.
 * `target`: f(prompt) − f(prompt with the unit's value vectors 0 in every layer); signed, in the target's unit.
 * `mean`, `rollout`: the published measures of how much of each token is mixed into the rows that predict the target, the mean over
 * layers or the product of the layers; shares, unsigned.
 */
export const valueZeroing: AttributionMethod = {
  id: 'value-zeroing',
  family: 'perturbation',
  label: 'Value zeroing',
  assumption: 'What the answer loses when others look at this unit and get nothing. Keeps positions and attention as they were.',
  needs: ['forward', 'capture', 'patch'],
  parameters: [{ id: 'measure', label: 'What is measured', default: 'target', choices: ['target', 'mean', 'rollout'] }],
  isUnsigned: ({ measure }) => measure !== 'target',
  cost: (units) => units,

  async attribute(input, options = {}) {
    return input.parameters['measure'] === 'mean' || input.parameters['measure'] === 'rollout'
      ? sharesMixedIn(input, options)
      : lossOfTarget(input, options);
  },
};

async function lossOfTarget(input: AttributionInput, options: AttributionOptions) {
  const scored = shownUnits(input.units);
  const changes = scored.map((index) =>
    Array.from(
      { length: input.model.info.layers },
      (_, layer): Patch => ({
        site: { kind: 'v', layer },
        positions: [...(input.units[index]?.tokens ?? [])],
        operation: { kind: 'zero' },
      }),
    ),
  );
  const scores = new Float32Array(input.units.length);
  await patchedValues(input, changes, options, (place, value) => {
    scores[scored[place] as number] = input.value - value;
  });
  return { scores, forwardPasses: scored.length, warnings: [] };
}

async function sharesMixedIn(input: AttributionInput, options: AttributionOptions) {
  const start = targetRowWeights(input);
  const { layers, forwardPasses } = await contextMixing(input, [...start.keys()], options);
  const mass =
    input.parameters['measure'] === 'rollout'
      ? layers.reduceRight((above, layer) => attentionFrom(above, layer), start)
      : layers
          .map((layer) => attentionFrom(start, layer))
          .reduce(
            (sum, layer) => sum.map((value, token) => value + (layer[token] as number) / layers.length),
            new Float64Array(start.length),
          );
  return { scores: sumByShownUnit(input.units, mass), forwardPasses, scoreUnit: 'share', warnings: [] };
}
