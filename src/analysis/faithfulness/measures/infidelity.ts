import { seededRandom } from '../../../attribution/seededRandom.ts';
import { meanOf } from '../interval.ts';
import type { Measure } from '../measure.ts';

const ablationCount = 32;

/**
 * Infidelity (Yeh et al. 2019, arXiv 1901.09392, definition 2.1): E[(⟨I, scores⟩ − Δf)²], where I takes random units away, each
 * with probability one half, and Δf is the target's fall. Scores are scaled first by the best factor that is not negative, since
 * many are in a unit of their own, and the result is divided by E[Δf²]: 0 = the scores tell every fall, 1 = they tell nothing.
 */
export const infidelity: Measure = {
  id: 'infidelity',
  label: 'Share of random falls that the summed scores do not tell',
  better: 'lower',
  unit: 'none',
  ranks: 'author',
  value({ ranking, scores, seed }, valueWithout) {
    const random = seededRandom(seed);
    const inText = [...ranking].sort((a, b) => a - b);
    const full = valueWithout([]);
    const samples = Array.from({ length: ablationCount }, () => {
      const gone = inText.filter(() => random() < 0.5);
      return { told: gone.reduce((sum, unit) => sum + (scores[unit] ?? 0), 0), fall: full - valueWithout(gone) };
    });
    const mean = (of: (sample: (typeof samples)[number]) => number) => meanOf(samples.map(of));
    const told = mean((sample) => sample.told ** 2);
    const all = mean(({ fall }) => fall ** 2);
    const factor = told > 0 ? Math.max(0, mean((sample) => sample.told * sample.fall) / told) : 0;
    return all > 0 ? mean((sample) => (factor * sample.told - sample.fall) ** 2) / all : 1;
  },
};
