/**
 * Remote calls over any channel of structured-clone messages: a child process, a worker thread, a MessageChannel.
 *
 * birpc matches answers to calls. What it lacks is added here: an error keeps its code (it crosses as `SerialisedError`),
 * a call can be cancelled (birpc knows no cancel message), an inherited property (`constructor`) is no method, and an answer
 * that cannot be cloned rejects the caller instead of leaving it waiting.
 */
import { createBirpc } from 'birpc';
import { cancelled, rpcMethodUnknown } from '../errorCatalog.ts';
import { reviveError, serialiseError, toLoupeError, type LoupeError, type SerialisedError } from '../errors.ts';

/** The part of an AbortSignal used here; `src/shared` has no ambient runtime types. */
interface RpcSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One end of a wire. `post` throws when the message cannot be cloned or the wire is gone. */
export interface RpcChannel {
  post(message: unknown): void;
  /** Registers the only listener. */
  listen(listener: (message: unknown) => void): void;
}

type Listed<T> = { [K in keyof T]: T[K] extends (...parameters: infer P) => infer R ? (...parameters: P) => R : never };

/** What a handler learns about its call. */
export interface RpcCall<Signal> {
  /** Chosen by the caller; tells its progress events apart. */
  readonly requestId: string;
  readonly signal: Signal;
}

/** The methods of a protocol interface as handlers: the call first, then the parameters. */
export type RpcHandlers<Methods, Signal> = {
  readonly [K in keyof Methods]: Methods[K] extends (...parameters: infer P) => infer R
    ? (call: RpcCall<Signal>, ...parameters: P) => R | Promise<R>
    : never;
};

/** Listeners for the other end's events; those left out are ignored. */
export type RpcListeners<Events> = Partial<Listed<Events>>;

type Parameter<T> = T extends (...parameters: infer P) => unknown ? P : never;
type Result<T> = T extends (...parameters: never[]) => infer R ? R : never;

export interface RpcPeer<RemoteMethods, SentEvents> {
  /**
   * Rejects with the handler's error (code kept), E_RPC_METHOD_UNKNOWN, E_CANCELLED as soon as `signal` aborts,
   * or the error given to `close`.
   */
  call<K extends keyof RemoteMethods & string>(
    method: K,
    parameters: Parameter<RemoteMethods[K]>,
    options?: { readonly signal?: RpcSignal | undefined; readonly requestId?: string },
  ): Promise<Result<RemoteMethods[K]>>;
  emit<K extends keyof SentEvents & string>(event: K, ...parameters: Parameter<SentEvents[K]>): void;
  /** Resolves when the other end's event loop answers. Never rejects while the wire is open. */
  ping(): Promise<void>;
  /** Rejects every waiting and every later call with `error`, and aborts the handlers that run for the other end. */
  close(error: LoupeError): void;
}

type Outcome = { readonly value: unknown } | { readonly error: SerialisedError };

interface Wire {
  call(requestId: string, method: string, parameters: readonly unknown[]): Promise<Outcome>;
  cancel(requestId: string): void;
  event(name: string, parameters: readonly unknown[]): void;
  ping(): void;
}

type AnyHandler<Signal> = (call: RpcCall<Signal>, ...parameters: readonly unknown[]) => unknown;

export interface RpcOptions<LocalMethods, ReceivedEvents, Signal> {
  readonly channel: RpcChannel;
  readonly handlers: RpcHandlers<LocalMethods, Signal>;
  readonly listeners?: RpcListeners<ReceivedEvents>;
  /** `() => new AbortController()`: the platform's own, see RpcSignal. */
  readonly newController: () => { readonly signal: Signal; abort(): void };
}

export function createRpcPeer<LocalMethods, RemoteMethods, SentEvents, ReceivedEvents, Signal>(
  options: RpcOptions<LocalMethods, ReceivedEvents, Signal>,
): RpcPeer<RemoteMethods, SentEvents> {
  const handlers = options.handlers as Readonly<Record<string, AnyHandler<Signal>>>;
  const listeners = (options.listeners ?? {}) as Readonly<Record<string, (...parameters: readonly unknown[]) => void>>;
  const running = new Map<string, { abort(): void }>();
  let closedWith: LoupeError | null = null;
  let calls = 0;

  const local: Wire = {
    async call(requestId, method, parameters) {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
      if (handler === undefined) return { error: serialiseError(rpcMethodUnknown(method)) };
      const controller = options.newController();
      running.set(requestId, controller);
      try {
        return { value: await handler({ requestId, signal: controller.signal }, ...parameters) };
      } catch (error) {
        return { error: serialiseError(error) };
      } finally {
        running.delete(requestId);
      }
    },
    cancel: (requestId) => running.get(requestId)?.abort(),
    event: (name, parameters) => {
      if (Object.hasOwn(listeners, name)) listeners[name]?.(...parameters);
    },
    ping: () => undefined,
  };

  const wire = createBirpc<Wire, Wire, false>(local, {
    proxify: false,
    timeout: -1,
    bind: 'functions',
    resolver: (name, resolved) => (Object.hasOwn(local, name) ? resolved : undefined),
    post: (message) => {
      try {
        options.channel.post(message);
      } catch (error) {
        // A DOMException cannot be cloned itself; birpc sends this plain error to the caller instead.
        throw new Error(error instanceof Error ? error.message : String(error));
      }
    },
    on: (listener) => options.channel.listen((message) => listener(message)),
    // Named: an answer could not be posted, and birpc goes on to post the error. Unnamed: our own call, which must reject.
    onGeneralError: (_error, functionName) => functionName !== undefined,
  });

  return {
    call(method, parameters, { signal, requestId = `call-${++calls}` } = {}) {
      if (closedWith !== null) return Promise.reject(closedWith);
      if (signal?.aborted) return Promise.reject(cancelled());
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          reject(cancelled());
          send(wire.$callEvent('cancel', requestId));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        wire
          .$call('call', requestId, method, parameters)
          .then((outcome) => {
            if ('error' in outcome) reject(reviveError(outcome.error));
            else resolve(ownArrays(outcome.value) as Result<RemoteMethods[typeof method]>);
          })
          .catch((error: unknown) => reject(closedWith ?? toLoupeError(error)))
          .finally(() => signal?.removeEventListener('abort', onAbort));
      });
    },
    emit(event, ...parameters) {
      if (closedWith === null) send(wire.$callEvent('event', event, parameters));
    },
    async ping() {
      await wire.$call('ping');
    },
    close(error) {
      if (closedWith !== null) return;
      closedWith = error;
      wire.$close(error);
      for (const controller of running.values()) controller.abort();
    },
  };
}

/** An event nobody can hear is not an error: the wire's owner is told of its end by `close`. */
function send(sent: Promise<unknown>): void {
  sent.catch(() => undefined);
}

/**
 * Node's IPC returns typed arrays as views on the whole message. Copied here, so that posting one on does not carry the rest along.
 * Results hold their arrays at the top level.
 */
function ownArrays(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map) return value;
  const entries = Object.entries(value);
  if (!entries.some(([, field]) => isPartialView(field))) return value;
  return Object.fromEntries(entries.map(([name, field]) => [name, isPartialView(field) ? field.slice() : field]));
}

function isPartialView(value: unknown): value is Float32Array | Int32Array {
  return (value instanceof Float32Array || value instanceof Int32Array) && value.byteLength !== value.buffer.byteLength;
}
