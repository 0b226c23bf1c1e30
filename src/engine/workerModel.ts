import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { CallOptions, GeneratedToken, Model, VariantResult } from '../model/model.ts';
import { cancelled, engineCrashed, engineStopped, outOfMemory } from '../shared/errorCatalog.ts';
import type { LoupeError } from '../shared/errors.ts';
import type { LoadOptions } from '../shared/protocol/engine.ts';
import { createRpcPeer } from '../shared/protocol/rpc.ts';
import { portChannel } from './portChannel.ts';
import { TurnTaker } from './turnTaker.ts';
import type { WorkerEvents, WorkerMethods, WorkerStart } from './workerProtocol.ts';

export interface WorkerModelOptions extends LoadOptions, CallOptions {
  /** The bundle that runs `src/engine/main.ts`: `dist/engine.cjs`. */
  readonly workerFile: string;
  readonly onProgress?: (done: number, total: number) => void;
  /** Limits on the thread's JavaScript heap; native memory is not counted. */
  readonly resourceLimits?: ResourceLimits;
}

interface Listener {
  readonly onLoading?: (done: number, total: number) => void;
  readonly onVariant?: (index: number, result: VariantResult) => void;
  readonly onToken?: (token: GeneratedToken) => void;
}

/**
 * Opens a model on a worker thread of its own and returns it as if it were here. Calls run one after another.
 * An aborted call rejects at once; the thread stops within one graph node, and the next call waits for that.
 * @throws what opening throws; E_ENGINE_CRASHED or E_OUT_OF_MEMORY when the thread ends by itself
 */
export async function openWorkerModel(file: string, options: WorkerModelOptions): Promise<Model> {
  const thread = new ModelThread(options);
  try {
    const info = await thread.call(
      'open',
      [file, { threads: options.threads, contextLength: options.contextLength }],
      options.signal,
      {
        ...(options.onProgress === undefined ? {} : { onLoading: options.onProgress }),
      },
    );
    return {
      info,
      tokenizer: {
        encode: (text, encodeOptions) => thread.call('encode', [text, encodeOptions]),
        decode: (ids) => thread.call('decode', [ids]),
        pieces: (ids) => thread.call('pieces', [ids]),
        renderChat: (messages, chatOptions) => thread.call('renderChat', [messages, chatOptions]),
        special: () => thread.call('special', []),
      },
      forward: (request, { signal } = {}) => thread.call('forward', [request], signal),
      forwardVariants: (request, { signal, onResult } = {}) =>
        thread.call(
          'forwardVariants',
          [request, onResult !== undefined],
          signal,
          onResult === undefined ? {} : { onVariant: onResult },
        ),
      generate: (request, { signal, onToken } = {}) =>
        thread.call('generate', [request], signal, onToken === undefined ? {} : { onToken }),
      dispose: () => thread.dispose(),
    };
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** A worker thread, its wire, and the flag that stops what it is doing. */
class ModelThread {
  readonly #worker: Worker;
  readonly #peer;
  readonly #exited: Promise<void>;
  readonly #cancelFlag = new Int32Array(new SharedArrayBuffer(4));
  readonly #turns = new TurnTaker();
  readonly #listeners = new Map<string, Listener>();
  #calls = 0;
  #disposed: Promise<void> | null = null;

  constructor({ workerFile, resourceLimits }: WorkerModelOptions) {
    const workerData: WorkerStart = { cancelFlag: this.#cancelFlag };
    this.#worker = new Worker(workerFile, { workerData, ...(resourceLimits === undefined ? {} : { resourceLimits }) });
    this.#peer = createRpcPeer<object, WorkerMethods, object, WorkerEvents, AbortSignal>({
      channel: portChannel(this.#worker, false),
      handlers: {},
      listeners: {
        loading: (callId, done, total) => this.#listeners.get(callId)?.onLoading?.(done, total),
        variant: (callId, index, result) => this.#listeners.get(callId)?.onVariant?.(index, result),
        token: (callId, token) => this.#listeners.get(callId)?.onToken?.(token),
      },
      newController: () => new AbortController(),
    });
    this.#worker.on('error', (error) => this.#peer.close(threadError(error)));
    this.#worker.on('messageerror', (error) => this.#peer.close(threadError(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#peer.close(engineCrashed(`the model's thread ended with code ${code}`));
        resolve();
      });
    });
  }

  call<K extends keyof WorkerMethods>(
    method: K,
    parameters: Parameters<WorkerMethods[K]>,
    signal?: AbortSignal,
    listener: Listener = {},
  ): Promise<ReturnType<WorkerMethods[K]>> {
    if (this.#disposed !== null) return Promise.reject(engineStopped('the model was unloaded'));
    return this.#turns.take(signal, () => this.#run(method, parameters, signal, listener));
  }

  /** Waits for the thread to settle even when the caller was already told E_CANCELLED: only then is the flag free again. */
  async #run<K extends keyof WorkerMethods>(
    method: K,
    parameters: Parameters<WorkerMethods[K]>,
    signal: AbortSignal | undefined,
    listener: Listener,
  ): Promise<ReturnType<WorkerMethods[K]>> {
    const requestId = `model-${++this.#calls}`;
    const cancel = () => {
      Atomics.store(this.#cancelFlag, 0, 1);
      this.#listeners.delete(requestId);
    };
    Atomics.store(this.#cancelFlag, 0, 0);
    this.#listeners.set(requestId, listener);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      // The signal is not given to the wire: the flag carries it, and the answer tells when the thread has stopped.
      const result = (await this.#peer.call(method, parameters as never, { requestId })) as ReturnType<WorkerMethods[K]>;
      if (signal?.aborted) throw cancelled();
      return result;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#listeners.delete(requestId);
    }
  }

  /** Stops what runs, frees the native model and ends the thread. Calling it again waits for the same end. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    Atomics.store(this.#cancelFlag, 0, 1);
    // A thread that has crashed holds nothing any more.
    await this.#turns.take(undefined, () => this.#peer.call('dispose', [])).catch(() => undefined);
    await this.end();
  }

  async end(): Promise<void> {
    this.#peer.close(engineStopped('the model was unloaded'));
    await this.#worker.terminate();
    await this.#exited;
  }
}

function threadError(error: unknown): LoupeError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return outOfMemory(message);
  return engineCrashed(message);
}
