import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { GradientOptions, GradientPlan } from '../model/gradient.ts';
import type { CallOptions, GeneratedToken, Model, VariantResult } from '../model/model.ts';
import { cancelled, engineCrashed, engineStopped, outOfMemory } from '../shared/errorCatalog.ts';
import type { LoupeError } from '../shared/errors.ts';
import type { LoadOptions } from '../shared/protocol/engine.ts';
import { createRpcPeer } from '../shared/protocol/rpc.ts';
import { portChannel } from './portChannel.ts';
import { TurnTaker } from './turnTaker.ts';
import type { WorkerEvents, WorkerMethods, WorkerStart } from './workerProtocol.ts';

export interface ModelThreadOptions {
  /** The bundle that runs `src/engine/main.ts`: `dist/engine.cjs`. */
  readonly workerFile: string;
  /** Told at once when the thread ends by itself, before anyone who waits is. */
  readonly onLost?: (error: LoupeError) => void;
  /** Limits on the thread's JavaScript heap; native memory is not counted. */
  readonly resourceLimits?: ResourceLimits;
}

export interface OpenOptions extends LoadOptions, CallOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

interface Listener {
  readonly onLoading?: (done: number, total: number) => void;
  readonly onVariant?: (index: number, result: VariantResult) => void;
  readonly onToken?: (token: GeneratedToken) => void;
  readonly onPlan?: (plan: GradientPlan) => void;
  readonly onGradient?: (done: number, total: number) => void;
}

/**
 * The worker thread that makes all native calls, and the flag that stops what it is doing. One for the life of an engine:
 * the native libraries are bound to the thread that loaded them. Calls run one after another; an aborted call rejects at once,
 * the thread stops within one graph node, and the next call waits for that.
 */
export class ModelThread {
  readonly #worker: Worker;
  readonly #peer;
  readonly #exited: Promise<void>;
  readonly #cancelFlag = new Int32Array(new SharedArrayBuffer(4));
  readonly #turns = new TurnTaker();
  readonly #listeners = new Map<string, Listener>();
  #calls = 0;
  #ending = false;
  /** Why calls are refused, once the thread is to end. */
  #stopped: LoupeError | null = null;
  /** Rejects who waits for an answer. */
  readonly #waiting = new Set<(error: LoupeError) => void>();

  constructor({ workerFile, onLost, resourceLimits }: ModelThreadOptions) {
    const workerData: WorkerStart = { cancelFlag: this.#cancelFlag };
    this.#worker = new Worker(workerFile, { workerData, ...(resourceLimits === undefined ? {} : { resourceLimits }) });
    this.#peer = createRpcPeer<object, WorkerMethods, object, WorkerEvents, AbortSignal>({
      channel: portChannel(this.#worker, false),
      handlers: {},
      listeners: {
        loading: (callId, done, total) => this.#listeners.get(callId)?.onLoading?.(done, total),
        variant: (callId, index, result) => this.#listeners.get(callId)?.onVariant?.(index, result),
        token: (callId, token) => this.#listeners.get(callId)?.onToken?.(token),
        plan: (callId, plan) => this.#listeners.get(callId)?.onPlan?.(plan),
        gradientProgress: (callId, done, total) => this.#listeners.get(callId)?.onGradient?.(done, total),
      },
      newController: () => new AbortController(),
    });
    const lost = (error: LoupeError) => {
      if (!this.#ending) onLost?.(error);
      this.#ending = true;
      this.#peer.close(error);
    };
    this.#worker.on('error', (error) => lost(threadError(error)));
    this.#worker.on('messageerror', (error) => lost(threadError(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        lost(engineCrashed(`the model's thread ended with code ${code}`));
        resolve();
      });
    });
  }

  /**
   * Opens a model and returns it as if it were here.
   * @throws what opening throws; E_ENGINE_CRASHED or E_OUT_OF_MEMORY when the thread ends by itself
   */
  async open(file: string, { signal, onProgress, ...options }: OpenOptions): Promise<Model> {
    const { model, info } = await this.#call(
      'open',
      [file, loadOptions(options)],
      signal,
      onProgress === undefined ? {} : { onLoading: onProgress },
      // The caller is gone, and nobody else knows this model.
      (late) => void this.#dispose(late.model),
    );
    let disposed: Promise<void> | null = null;
    return {
      info,
      tokenizer: {
        encode: (text, options) => this.#call('encode', [model, text, options]),
        decode: (ids) => this.#call('decode', [model, ids]),
        pieces: (ids) => this.#call('pieces', [model, ids]),
        renderChat: (messages, options) => this.#call('renderChat', [model, messages, options]),
        special: () => this.#call('special', [model]),
      },
      forward: (request, options = {}) => this.#call('forward', [model, request], options.signal),
      forwardVariants: (request, { signal: stop, onResult } = {}) => {
        const listener = onResult === undefined ? {} : { onVariant: onResult };
        return this.#call('forwardVariants', [model, request, onResult !== undefined], stop, listener);
      },
      generate: (request, { signal: stop, onToken } = {}) =>
        this.#call('generate', [model, request], stop, onToken === undefined ? {} : { onToken }),
      gradient: (request, call = {}) => this.#call('gradient', [model, request], call.signal, gradientListener(call)),
      gradientAlong: (request, call = {}) => this.#call('gradientAlong', [model, request], call.signal, gradientListener(call)),
      unembed: (request, options = {}) => this.#call('unembed', [model, request], options.signal),
      dispose: () => {
        disposed ??= this.#dispose(model);
        return disposed;
      },
    };
  }

  /**
   * Stops what runs and ends the thread; every call that waits rejects with E_ENGINE_STOPPED at once. The thread is ended when what it
   * runs has stopped: torn out of a native call, ONNX Runtime throws what nobody can catch, and the whole process aborts.
   */
  async end(): Promise<void> {
    this.#ending = true;
    Atomics.store(this.#cancelFlag, 0, 1);
    const stopped = engineStopped('it was shut down');
    this.#stopped = stopped;
    for (const reject of this.#waiting) reject(stopped);
    await this.#turns.take(undefined, () => Promise.resolve());
    this.#peer.close(stopped);
    await this.#worker.terminate();
    await this.#exited;
  }

  #call<K extends keyof WorkerMethods>(
    method: K,
    parameters: Parameters<WorkerMethods[K]>,
    signal?: AbortSignal,
    listener: Listener = {},
    onLate: (result: ReturnType<WorkerMethods[K]>) => void = () => undefined,
  ): Promise<ReturnType<WorkerMethods[K]>> {
    const answer = this.#turns.take(signal, async () => {
      if (this.#stopped !== null) throw this.#stopped;
      const requestId = `model-${++this.#calls}`;
      const cancel = () => {
        Atomics.store(this.#cancelFlag, 0, 1);
        this.#listeners.delete(requestId);
      };
      Atomics.store(this.#cancelFlag, 0, 0);
      this.#listeners.set(requestId, listener);
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        // The signal is not given to the wire: the flag carries it, and only the answer tells that the thread has stopped.
        const result = (await this.#peer.call(method, parameters as never, { requestId })) as ReturnType<WorkerMethods[K]>;
        if (signal?.aborted) {
          onLate(result);
          throw cancelled();
        }
        return result;
      } finally {
        signal?.removeEventListener('abort', cancel);
        this.#listeners.delete(requestId);
      }
    });
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  /** Stops what runs and frees one model. With a dead thread there is nothing to free any more. */
  #dispose(model: number): Promise<void> {
    Atomics.store(this.#cancelFlag, 0, 1);
    return this.#call('dispose', [model]).catch(() => undefined);
  }
}

/** Of the options, only what may cross to the thread. */
function loadOptions({ threads, contextLength, gradientBytes, weightBytes, provider, apiKey }: LoadOptions): LoadOptions {
  return {
    threads,
    contextLength,
    ...(gradientBytes === undefined ? {} : { gradientBytes }),
    ...(weightBytes === undefined ? {} : { weightBytes }),
    ...(provider === undefined ? {} : { provider }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function gradientListener({ onPlan, onProgress }: GradientOptions): Listener {
  return {
    ...(onPlan === undefined ? {} : { onPlan }),
    ...(onProgress === undefined ? {} : { onGradient: onProgress }),
  };
}

function threadError(error: unknown): LoupeError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? outOfMemory(message) : engineCrashed(message);
}
