import type { RequestContext } from '../../../src/engine/requestContext.ts';
import type { Model } from '../../../src/model/model.ts';
import type { PartialExplanation } from '../../../src/shared/protocol/engine.ts';

export interface Recorder extends RequestContext {
  readonly partials: Omit<PartialExplanation, 'requestId'>[];
  readonly phases: string[];
  readonly texts: string[];
  readonly details: string[];
}

/** A request context that keeps what a handler tells. */
export function recordRequest(
  model: Model,
  signal: AbortSignal = new AbortController().signal,
  ablations: RequestContext['ablations'] = new Map(),
): Recorder {
  const partials: Recorder['partials'] = [];
  const phases: string[] = [];
  const texts: string[] = [];
  const details: string[] = [];
  return {
    model,
    ablations,
    signal,
    partials,
    phases,
    texts,
    details,
    progress: (phase, _done, _total, detail) => {
      if (detail !== undefined) details.push(detail);
      if (phases.at(-1) !== phase) phases.push(phase);
    },
    partial: (partial) => partials.push(partial),
    token: (text) => texts.push(text),
  };
}
