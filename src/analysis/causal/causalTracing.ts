/**
 * Causal tracing (Meng et al. 2022, arXiv 2202.05262, section 2): the subject's embeddings are blurred with noise, and clean
 * activations are put back one place at a time; what brings the answer back carries the fact.
 */
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model, Patch } from '../../model/model.ts';
import type { LayerActivations } from './activationRows.ts';
import { patchedValues } from './patchedValues.ts';

export interface TraceRequest {
  readonly model: Model;
  readonly ids: Int32Array;
  readonly target: ResolvedTarget;
  /** Positions whose embeddings are blurred. */
  readonly subject: readonly number[];
  /** Clean activations of what is put back. */
  readonly clean: LayerActivations;
  /** Layers l − before … l + after are put back together: 0 and 0 for the residual stream, 5 and 4 for attention and MLP. */
  readonly window: { readonly before: number; readonly after: number };
  /** The layers l, ascending. */
  readonly layers: readonly number[];
  readonly signal: AbortSignal;
  readonly onRun?: () => void;
}

export interface TraceGrid {
  /** The target with the noise and nothing put back. */
  readonly corrupt: number;
  /** [layers, T] the target with the clean activation of that layer put back at that position. */
  readonly restored: Float64Array;
  readonly forwardPasses: number;
}

/** @param noise [subject, D] added to the embeddings @throws as `patchedValues` */
export async function traceOnce(request: TraceRequest, noise: Float32Array): Promise<TraceGrid> {
  const { model, ids, target, subject, clean, window, layers, signal, onRun } = request;
  const blur: Patch = { site: { kind: 'embed' }, positions: subject, operation: { kind: 'add', values: noise } };
  const sets: Patch[][] = [[blur]];
  for (const layer of layers) {
    const [first, last] = [Math.max(0, layer - window.before), Math.min(model.info.layers - 1, layer + window.after)];
    for (let position = 0; position < ids.length; position++) {
      const restored: Patch[] = [];
      for (let each = first; each <= last; each++) restored.push(clean.patchPosition(each, position));
      sets.push([blur, ...restored]);
    }
  }
  const run = { model, ids, target, signal, ...(onRun === undefined ? {} : { onRun }) };
  const { values, forwardPasses } = await patchedValues(run, sets);
  return { corrupt: values[0] as number, restored: values.slice(1), forwardPasses };
}
