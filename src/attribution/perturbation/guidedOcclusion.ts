import type { AttributionMethod } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { saliency } from '../gradient/saliency.ts';
import { shownUnits } from '../scoredUnits.ts';
import type { Unit } from '../../shared/tokens.ts';
import { leaveOut } from './occlusion.ts';
import { replacementParameter } from './withoutTokens.ts';

/** Of many units, this share is left out exactly; of few, at least so many. */
const exactShare = 0.1;
const exactLeast = 16;

/**
 * Guided occlusion: the size of the gradient says which units can matter, and only these are left out one by one; their scores are
 * those of exhaustive occlusion to the last bit. The others score 0 and keep a bound: the largest effect found, scaled by their
 * gradient's share. Signed, in the target's unit. See docs/methods/guided-occlusion.md.
 */
export const guidedOcclusion: AttributionMethod = {
  id: 'guided-occlusion',
  family: 'perturbation',
  label: 'Guided occlusion',
  assumption: 'Leave-one-out where the gradient says it can matter. Exact there; the rest has a bound and no score.',
  needs: ['forward', 'gradient'],
  parameters: [
    {
      id: 'exact',
      label: 'Units left out exactly (0: a tenth, at least 16)',
      default: 0,
      minimum: 0,
      maximum: 4096,
      whole: true,
    },
    replacementParameter,
    precisionParameter,
  ],
  cost: (units) => 2 + Math.max(exactLeast, exactShare * units) / 2,

  async attribute(input, options = {}) {
    const { units, parameters } = input;
    const guide = await saliency.attribute({ ...input, parameters: { ...parameters, norm: 'l2' } }, options);
    const scored = shownUnits(units);
    const asked = Number(parameters['exact']);
    const count = asked > 0 ? asked : Math.max(exactLeast, Math.ceil(exactShare * scored.length));
    const norm = (unit: number) => guide.scores[unit] as number;
    const ranked = scored.toSorted((a, b) => norm(b) - norm(a) || a - b);
    const exact = ranked.slice(0, count);
    const { effects, forwardPasses } = await leaveOut(
      input,
      exact.map((unit) => units[unit] as Unit),
      options,
    );
    const scores = new Float32Array(units.length);
    exact.forEach((unit, place) => {
      scores[unit] = effects[place] as number;
    });
    const steepest = exact.reduce(
      (most, unit, place) => Math.max(most, Math.abs(effects[place] as number) / (norm(unit) || 1)),
      0,
    );
    return {
      scores,
      forwardPasses: guide.forwardPasses + forwardPasses,
      findings: { bounds: ranked.slice(count).map((unit): [number, number] => [unit, steepest * norm(unit)]) },
      warnings: [],
    };
  },
};
