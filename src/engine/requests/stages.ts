/** What a progressive run shows before it is done. */
import { attentionWarning } from '../../attribution/flow/attention.ts';
import type { AttributionInput, AttributionMethod } from '../../attribution/method.ts';
import { isHidden, sumByUnit } from '../../attribution/scoredUnits.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { Unit } from '../../shared/tokens.ts';
import type { RequestContext } from '../requestContext.ts';
import type { PromptPass } from './promptPass.ts';

/** Partial explanations of one stage at most, so that a long prompt does not flood the editor. */
const mostPartials = 20;

/** Provisional scores: shares of attention, which cost nothing beyond the pass over the prompt. */
export function attentionTint(units: readonly Unit[], attention: PromptPass['attention'], seed: number) {
  if (attention === null) return null;
  const method: Explanation['method'] = { id: 'attention', parameters: { aggregation: 'last-layer-mean' }, seed };
  return { method, scores: sumByUnit(units, attention), warnings: [attentionWarning] };
}

/**
 * Exact scores of whole sections, where the prompt has at least two and they are much fewer than the units that follow.
 * @throws as the method
 */
export async function scoreSections(
  { signal, progress }: RequestContext,
  method: AttributionMethod,
  input: AttributionInput,
  sections: readonly Unit[],
) {
  const count = (units: readonly Unit[]) => units.filter((unit) => !isHidden(unit)).length;
  if (count(sections) < 2 || count(sections) * 4 > count(input.units)) return null;
  return await method.attribute(
    { ...input, units: sections },
    { signal, onProgress: (done, total) => progress('sections', done, total) },
  );
}

/** Scores that arrive one by one, over those of the stage before; told at most {@link mostPartials} times, by count and not by time. */
export class ArrivingScores {
  readonly #scores: Float32Array;
  readonly #step: number;
  readonly #tell: (scores: Float32Array) => void;
  #arrived = 0;

  /** @param earlier [units] shown where no score has arrived yet */
  constructor(earlier: Float32Array, tell: (scores: Float32Array) => void) {
    this.#scores = earlier.slice();
    this.#step = Math.max(1, Math.ceil(earlier.length / mostPartials));
    this.#tell = tell;
  }

  add(unit: number, score: number): void {
    this.#scores[unit] = score;
    this.#arrived++;
    if (this.#arrived % this.#step === 0) this.#tell(this.#scores);
  }
}

/**
 * Shares of attention on the scale of exact scores, so that they can stand beside them until those arrive: the largest share
 * among the author's own units gets the magnitude of the target's value. Sinks are no measure; they would hide all others.
 */
export function rescaled(units: readonly Unit[], shares: Float32Array, value: number): Float32Array {
  const largest = Math.max(0, ...units.map((unit, index) => (unit.kind === 'text' ? (shares[index] ?? 0) : 0)));
  const magnitude = Math.abs(value);
  return largest > 0 ? shares.map((share) => Math.min(1, share / largest) * magnitude) : shares;
}
