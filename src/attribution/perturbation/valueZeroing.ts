import type { Patch } from '../../model/model.ts';
import type { AttributionMethod } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';
import { patchedValues } from './maskedValues.ts';

/**
 * Value zeroing (Mohebbi et al. 2023, arXiv 2301.12971), measured on the target: score = f(prompt) − f(prompt with the unit's value
 * vectors 0 in every layer). Others still look at the unit and get nothing from it. Signed, in the target's unit.
 * See docs/methods/value-zeroing.md.
 */
export const valueZeroing: AttributionMethod = {
  id: 'value-zeroing',
  family: 'perturbation',
  label: 'Value zeroing',
  assumption: 'What the answer loses when others look at this unit and get nothing. Keeps positions and attention as they were.',
  needs: ['forward', 'patch'],
  parameters: [],
  cost: (units) => units,

  async attribute(input, options = {}) {
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
  },
};
