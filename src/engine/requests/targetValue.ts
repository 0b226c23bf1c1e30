import { evaluateSequences } from '../../attribution/perturbation/evaluateSequences.ts';
import { type ResolvedTarget, resolveTarget } from '../../attribution/target.ts';
import type { Model, RowResult } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';
import type { PromptPass } from './promptPass.ts';

/**
 * The target where it can be known before the prompt is read and a response exists, else null. A wrong target is thus refused
 * before anything long begins. @throws as `resolveTarget`
 */
export async function resolveEarly(model: Model, { target, score }: ExplainRequest): Promise<ResolvedTarget | null> {
  if (needsResponse(target) || target.kind === 'next') return null;
  return await resolveTarget(target, score, { model, next: 0, response: [] });
}

/** Whether a target reads response tokens, or stands after some. */
export function needsResponse(target: TargetSpec): boolean {
  if (target.kind === 'contrast' || target.kind === 'entropy') return (target.at ?? 0) > 0;
  return target.kind === 'response' || target.kind === 'span';
}

/**
 * The target's value on the unmodified prompt. The pass over the prompt has it already when the target reads only the row after
 * the prompt; else it costs one more pass. Either way it is the number that a variant equal to the prompt would give.
 * @throws E_NUMERIC, and as `Model.forwardVariants`
 */
export async function valueOnPrompt(
  model: Model,
  ids: Int32Array,
  target: ResolvedTarget,
  pass: PromptPass,
  signal: AbortSignal,
): Promise<{ readonly value: number; readonly forwardPasses: number }> {
  const row = knownRow(target, ids.length, pass);
  if (row === null) {
    const [value = Number.NaN] = await evaluateSequences(model, [ids], target, { signal });
    return { value, forwardPasses: 1 };
  }
  const value = target.value([row]);
  if (!Number.isFinite(value)) throw numeric('the target');
  return { value, forwardPasses: 0 };
}

/** The row the target asks for, put together from what the pass read of it, or null when the pass does not hold it. */
export function knownRow(target: ResolvedTarget, promptLength: number, { lastRow, wanted }: PromptPass): RowResult | null {
  const reads = target.reads(promptLength);
  const [read] = reads;
  if (read === undefined || reads.length > 1 || read.position !== promptLength - 1) return null;
  if (read.entropy !== undefined || read.reference !== undefined || read.weights !== undefined) return null;
  const logits = read.ids.map(
    (id) => lastRow.logits[wanted.indexOf(id)] ?? lastRow.top.find((token) => token.id === id)?.logit ?? Number.NaN,
  );
  return logits.some(Number.isNaN) ? null : { ...lastRow, logits: Float32Array.from(logits) };
}
