import type { AttributionMethod } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { saliency } from '../gradient/saliency.ts';
import { shownUnits } from '../scoredUnits.ts';
import type { Unit } from '../../shared/tokens.ts';
import { leaveOut, occlusion } from './occlusion.ts';
import { replacementParameter } from './withoutTokens.ts';

/** Of many units, this share is left out exactly; of few, at least so many. */
const exactShare = 0.2;
const exactLeast = 28;
/**
 * What a unit's place counts beside its gradient: the words before the answer decide its form, a gradient underrates them, and to leave
 * them out is cheap.
 */
const placeWeight = 0.5;

/**
 * Guided occlusion: the size of the gradient and the place say which units can matter, and only these are left out one by one; their
 * scores are those of exhaustive occlusion to the last bit. The others score 0 and keep a bound: the largest effect found, scaled by their
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
      label: 'Units left out exactly (0: a fifth, at least 28)',
      default: 0,
      minimum: 0,
      maximum: 4096,
      whole: true,
    },
    replacementParameter,
    precisionParameter,
  ],
  cost: (units, sharesBeginnings) =>
    2 + occlusion.cost(Math.min(units, Math.max(exactLeast, exactShare * units)), sharesBeginnings),

  async attribute(input, options = {}) {
    const { units, parameters } = input;
    const guide = await saliency.attribute({ ...input, parameters: { ...parameters, norm: 'l2' } }, options);
    const scored = shownUnits(units);
    const asked = Number(parameters['exact']);
    const count = asked > 0 ? asked : Math.max(exactLeast, Math.ceil(exactShare * scored.length));
    const norm = (unit: number) => guide.scores[unit] as number;
    const place = new Map(scored.map((unit, index) => [unit, index]));
    const bySize = scored.toSorted((a, b) => norm(a) - norm(b) || a - b);
    const promise = new Map(bySize.map((unit, rank) => [unit, rank + placeWeight * (place.get(unit) ?? 0)]));
    const ranked = scored.toSorted((a, b) => (promise.get(b) ?? 0) - (promise.get(a) ?? 0) || a - b);
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
