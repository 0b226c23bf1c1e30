import type { Model } from '../../model/model.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';

const latest = new WeakMap<Model, { readonly key: string; readonly values: Map<string, number> }>();

/**
 * Values of ablated prompts that full checks of the same prompt, target and model have measured: methods that are compared meet the
 * same random rankings, which are evaluated once. Only the latest prompt is kept.
 */
export function knownValues(
  model: Model,
  ids: Int32Array,
  { target, score }: Pick<ExplainRequest, 'target' | 'score'>,
  read: { readonly continuation: Int32Array; readonly ids: readonly number[] },
): Map<string, number> {
  const key = JSON.stringify([[...ids], target, score ?? null, [...read.continuation], read.ids]);
  const known = latest.get(model);
  if (known?.key === key) return known.values;
  const values = new Map<string, number>();
  latest.set(model, { key, values });
  return values;
}
