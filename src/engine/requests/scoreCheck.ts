import { measureFaithfulness } from '../../analysis/faithfulness/measureFaithfulness.ts';
import { chosenMeasures } from '../../analysis/faithfulness/chosenMeasures.ts';
import { roundingNoise } from '../../analysis/faithfulness/roundingNoise.ts';
import type { AttributionInput, AttributionMethod } from '../../attribution/method.ts';
import type { Explanation, Faithfulness, Warning } from '../../shared/explanation.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import type { TextRange } from '../../shared/tokens.ts';
import type { RequestContext } from '../requestContext.ts';
import { knownValues } from './knownValues.ts';
import { checkStability } from './stabilityCheck.ts';

export interface ScoreCheck {
  readonly faithfulness: Faithfulness | null;
  readonly forwardPasses: number;
  readonly warnings: readonly Warning[];
}

/** What is checked: scores, and how they came about. */
export interface CheckedScores {
  readonly method: AttributionMethod;
  readonly input: AttributionInput;
  readonly scores: Float32Array;
  readonly completeness: Explanation['completeness'];
  readonly templateRanges: readonly TextRange[];
  /** Forward passes the explanation has cost. */
  readonly spent: number;
}

/**
 * Measures the scores against random ones on this prompt. The cheap check costs no more than the explanation itself has, or the
 * handful of passes below which nothing could be said; the full one what it takes. Never in silence: what is not measured is said.
 * @throws E_MEASURE_UNKNOWN, and as `measureFaithfulness` and the method
 */
export async function checkScores(
  context: RequestContext,
  request: ExplainRequest,
  { method, input, scores, completeness, templateRanges, spent }: CheckedScores,
): Promise<ScoreCheck> {
  const started = performance.now();
  const { signal, progress } = context;
  const { model, units, target, value, seed, parameters } = input;
  const ids = Int32Array.from(input.tokens, (token) => token.id);
  const full = request.faithfulness === 'full';
  const chosen = full ? chosenMeasures(request.measures) : { measures: [], withStability: false };
  const noise = roundingNoise(model.info, { unit: target.description.unit, value });
  const warnings = method.id === 'occlusion' ? smallEffects(scores, noise) : [];
  const outcome = await measureFaithfulness(
    {
      model,
      ids,
      units,
      scores,
      signed: method.isUnsigned?.(parameters) !== true,
      slopes: method.needs.includes('gradient'),
      completeness,
      target,
      value,
      seed,
      budget: full ? Number.POSITIVE_INFINITY : spent,
      measures: chosen.measures,
      noise,
      ...(full
        ? { known: knownValues(model, ids, request, { continuation: target.continuation, ids: target.description.ids }) }
        : {}),
    },
    { signal, onProgress: (done, total) => progress('faithfulness', done, total) },
  );
  if (outcome.measured === null) {
    return { faithfulness: null, forwardPasses: 0, warnings: [...warnings, notMeasured(outcome.reason)] };
  }
  const again = chosen.withStability
    ? await checkStability(context, method, input, scores, request.granularity, templateRanges)
    : { measured: null, forwardPasses: 0 };
  const forwardPasses = outcome.forwardPasses + again.forwardPasses;
  const measures = [...(outcome.measured.measures ?? []), ...(again.measured === null ? [] : [again.measured])];
  const faithfulness = {
    ...outcome.measured,
    ...(measures.length === 0 ? {} : { measures }),
    cost: { milliseconds: performance.now() - started, forwardPasses },
  };
  return { faithfulness, forwardPasses, warnings };
}

export function notMeasured(reason: string): Warning {
  return { code: 'W_FAITHFULNESS_NOT_MEASURED', message: `How far to trust these scores was not measured. ${reason}` };
}

function smallEffects(scores: Float32Array, noise: number): Warning[] {
  if (noise === 0 || scores.some((score) => Math.abs(score) >= noise)) return [];
  const message = `Every effect is below ${noise}, which rounding in this quantised file alone can cause. Do not read a pattern into it.`;
  return [{ code: 'W_EFFECTS_BELOW_NOISE', message }];
}
