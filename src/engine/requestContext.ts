import type { AblationStore } from '../attribution/ablationStore.ts';
import type { Model } from '../model/model.ts';
import type { PartialExplanation } from '../shared/protocol/engine.ts';

/**
 * What a request handler (`src/engine/requests/*.ts`) is given. A handler is a function of this and its request:
 * it keeps nothing between calls, knows no transport and no queue, and passes `signal` on to every model call.
 */
export interface RequestContext {
  readonly model: Model;
  /** What this model said of changed prompts, across requests. */
  readonly ablations: AblationStore;
  /** Aborted when the caller cancels. A handler that sees it stops with E_CANCELLED and leaves nothing half-written. */
  readonly signal: AbortSignal;
  /** `phase` is short, for a status bar: "generating", "occlusion"; `detail` is one line for a log or a terminal. */
  readonly progress: (phase: string, done: number, total: number, detail?: string) => void;
  readonly partial: (partial: Omit<PartialExplanation, 'requestId'>) => void;
  /** A generated token's text, as it appears. */
  readonly token: (text: string) => void;
}

/** The shape of every handler. */
export type RequestHandler<Request, Result> = (context: RequestContext, request: Request) => Promise<Result>;
