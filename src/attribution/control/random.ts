import type { AttributionMethod } from '../method.ts';
import { isHidden } from '../scoredUnits.ts';
import { seededRandom, seedFor } from '../seededRandom.ts';

/** The control: numbers that know nothing of the model. What a picture is worth shows in how far it beats this one. */
export const random: AttributionMethod = {
  id: 'random',
  family: 'control',
  label: 'Random (control)',
  assumption: 'Knows nothing of the model. Shows what a meaningless picture looks like.',
  needs: [],
  parameters: [],
  cost: () => 0,
  attribute(input) {
    // Not the stream of the random rankings that it is checked against.
    const next = seededRandom(seedFor('random picture', input.seed));
    const scores = Float32Array.from(input.units, (unit) => {
      const score = 2 * next() - 1;
      return isHidden(unit) ? 0 : score;
    });
    return Promise.resolve({ scores, forwardPasses: 0, warnings: [] });
  },
};
