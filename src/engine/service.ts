import { basename } from 'node:path';
import { outOfMemory } from '../shared/errorCatalog.ts';
import { type LoupeError, toLoupeError } from '../shared/errors.ts';
import type { EngineEvents, EngineMethods, EngineStatus } from '../shared/protocol/engine.ts';
import type { RpcCall, RpcHandlers } from '../shared/protocol/rpc.ts';
import { IdleTimer } from './idleTimer.ts';
import { findModels } from './models/findModels.ts';
import { ModelSlot, type OpenCall } from './modelSlot.ts';
import { RequestQueue } from './requestQueue.ts';
import type { RequestHandler } from './requestContext.ts';
import { attentionGrid, attentionHead } from './requests/attention.ts';
import { captureToFile } from './requests/capture.ts';
import { explain } from './requests/explain.ts';
import { exportExplanation } from './requests/export.ts';
import { generateText } from './requests/generate.ts';
import { logprobs } from './requests/logprobs.ts';
import { describeMethods } from './requests/methods.ts';
import { describeTools, runTool } from './requests/tool.ts';

type Call = RpcCall<AbortSignal>;

export interface EngineServiceOptions {
  /** The bundle that runs `src/engine/main.ts` (`dist/engine.cjs`); the model's thread is started from it. */
  readonly workerFile: string;
  /** Listeners; those left out are not called. */
  readonly events?: Partial<EngineEvents>;
  /** After this long without a request the model is freed and `onIdle` called. Default: never. */
  readonly idleMilliseconds?: number;
  readonly onIdle?: () => void;
  /** Called when the model's thread ended by itself, before its callers are told. This engine cannot load a model any more. */
  readonly onThreadLost?: (error: LoupeError) => void;
}

/**
 * Everything the engine can do, for whoever runs it: the child process (over RPC) and the command line (in process).
 * One request at a time; what needs no model (`status`, `listModels`, `export`) does not wait. Loading waits its turn like any other request,
 * so a running one is never cut off by a switch of models.
 */
export class EngineService {
  /** The protocol's methods: the call (its id, its signal) first, then the parameters. */
  readonly methods: RpcHandlers<EngineMethods, AbortSignal>;
  readonly #events: Partial<EngineEvents>;
  readonly #queue = new RequestQueue(() => this.#changed());
  readonly #slot: ModelSlot;
  readonly #idle: IdleTimer;
  readonly #closing = new AbortController();

  constructor(options: EngineServiceOptions) {
    this.#events = options.events ?? {};
    this.#slot = new ModelSlot({
      workerFile: options.workerFile,
      ...(options.onThreadLost === undefined ? {} : { onLost: options.onThreadLost }),
    });
    this.#idle = new IdleTimer(options.idleMilliseconds ?? 0, () => {
      // Through the queue: a request that arrives now waits until the model is freed, and opens it again.
      void this.#enqueue('idle', 'Free the model', this.#closing.signal, () => this.#slot.release()).then(
        () => this.#queue.empty && options.onIdle?.(),
        () => undefined,
      );
    });
    this.methods = {
      status: () => this.status,
      listModels: (_call, folders) => findModels(folders),
      load: (call, file, loadOptions) =>
        this.#run(call, `Load ${basename(file)}`, () => this.#slot.load(file, loadOptions, this.#opening(call))),
      unload: (call) => this.#run(call, 'Unload the model', () => this.#slot.unload()),
      inspect: (call, file, options = {}) =>
        this.#run(call, `Inspect ${basename(file)}`, () => this.#slot.inspect(file, options, this.#opening(call))),
      methods: (_call, units) => describeMethods(units, this.#slot.summary),
      explain: this.#request('Explain', explain),
      logprobs: this.#request('Log-probabilities', logprobs),
      generate: this.#request('Generate', generateText),
      attentionGrid: this.#request('Attention', attentionGrid),
      attentionHead: this.#request('Attention head', attentionHead),
      capture: this.#request('Capture', captureToFile),
      tools: () => describeTools(this.#slot.summary?.can ?? null),
      tool: this.#request('Look inside', runTool),
      export: (_call, request) => exportExplanation(request),
    };
    this.#idle.restart();
  }

  get status(): EngineStatus {
    const { waiting, running, empty } = this.#queue;
    return { state: empty ? 'ready' : 'busy', model: this.#slot.summary, queue: waiting, running };
  }

  /** Cancels everything, frees the model and ends its thread. */
  async dispose(): Promise<void> {
    this.#idle.stop();
    this.#closing.abort();
    await this.#slot.end();
  }

  /** A handler of `requests/`, behind the queue and with the chosen model open. */
  #request<Request, Result>(title: string, handler: RequestHandler<Request, Result>) {
    return (call: Call, request: Request): Promise<Result> =>
      this.#run(call, title, async (signal) => {
        const { model, ablations } = await this.#slot.use(this.#opening({ ...call, signal }));
        const { requestId } = call;
        // What a cancelled request still says is for nobody.
        const tell = (event: () => void) => {
          if (!signal.aborted) event();
        };
        return await handler(
          {
            model,
            ablations,
            signal,
            progress: (phase, done, total, detail) =>
              tell(() => this.#events.progress?.({ requestId, phase, done, total, ...(detail === undefined ? {} : { detail }) })),
            partial: (partial) => tell(() => this.#events.partial?.({ requestId, ...partial })),
            token: (text) => tell(() => this.#events.token?.({ requestId, text })),
          },
          request,
        );
      });
  }

  async #run<T>({ requestId, signal }: Call, title: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#idle.stop();
    try {
      return await this.#enqueue(requestId, title, AbortSignal.any([signal, this.#closing.signal]), task);
    } catch (error) {
      throw memoryError(error);
    } finally {
      if (!this.#closing.signal.aborted) this.#idle.restart();
    }
  }

  #enqueue<T>(requestId: string, title: string, signal: AbortSignal, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#queue.run({ requestId, title }, signal, () => task(signal));
  }

  #opening({ requestId, signal }: Call): OpenCall {
    return { signal, onProgress: (done, total) => this.#events.progress?.({ requestId, phase: 'loading', done, total }) };
  }

  #changed(): void {
    this.#events.status?.(this.status);
  }
}

/** A JavaScript allocation that failed, here or in the model's thread, as the error a user can act on. */
function memoryError(error: unknown): LoupeError {
  const known = toLoupeError(error);
  if (known.code === 'E_INTERNAL' && /allocation failed|out of memory/i.test(known.parts.why))
    return outOfMemory(known.parts.why);
  return known;
}
