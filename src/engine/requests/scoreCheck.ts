import { measureFaithfulness } from '../../analysis/faithfulness/measureFaithfulness.ts';
import { roundingNoise } from '../../analysis/faithfulness/roundingNoise.ts';
import type { AttributionInput, AttributionMethod } from '../../attribution/method.ts';
import { occlusion } from '../../attribution/perturbation/occlusion.ts';
import { isHidden } from '../../attribution/scoredUnits.ts';
import type { Faithfulness, Warning } from '../../shared/explanation.ts';
import type { RequestContext } from '../requestContext.ts';

export interface ScoreCheck {
  readonly faithfulness: Faithfulness | null;
  readonly forwardPasses: number;
  readonly warnings: readonly Warning[];
}

/** Forward passes a check may always cost: enough for seven random rankings, and short where it matters, on short prompts. */
const smallestBudget = 20;

/**
 * Measures the scores against random ones on this prompt, for no more than the explanation itself has cost, or than leaving
 * out each unit would have, or a handful of passes. Never in silence: what is not measured is said.
 * @throws as `measureFaithfulness`
 */
export async function checkScores(
  { signal, progress }: RequestContext,
  method: AttributionMethod,
  input: AttributionInput,
  scores: Float32Array,
  spent: number,
): Promise<ScoreCheck> {
  const { model, units, target, value, seed } = input;
  const noise = roundingNoise(model.info, { unit: target.description.unit, value });
  const warnings = method.id === 'occlusion' ? smallEffects(scores, noise) : [];
  const outcome = await measureFaithfulness(
    {
      model,
      ids: Int32Array.from(input.tokens, (token) => token.id),
      units,
      scores,
      target,
      value,
      seed,
      budget: Math.max(smallestBudget, spent, occlusion.cost(units.filter((unit) => !isHidden(unit)).length)),
      noise,
    },
    { signal, onProgress: (done, total) => progress('faithfulness', done, total) },
  );
  if (outcome.measured !== null) return { faithfulness: outcome.measured, forwardPasses: outcome.forwardPasses, warnings };
  return { faithfulness: null, forwardPasses: 0, warnings: [...warnings, notMeasured(outcome.reason)] };
}

export function notMeasured(reason: string): Warning {
  return { code: 'W_FAITHFULNESS_NOT_MEASURED', message: `How far to trust these scores was not measured. ${reason}` };
}

function smallEffects(scores: Float32Array, noise: number): Warning[] {
  if (noise === 0 || scores.some((score) => Math.abs(score) >= noise)) return [];
  const message = `Every effect is below ${noise}, which rounding in this quantised file alone can cause. Do not read a pattern into it.`;
  return [{ code: 'W_EFFECTS_BELOW_NOISE', message }];
}
