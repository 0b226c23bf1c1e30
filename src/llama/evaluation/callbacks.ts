/**
 * The two callbacks llama.cpp calls while it evaluates. Nothing is ever thrown into native code: an exception
 * is kept, the evaluation is stopped, and {@link EvaluationCallbacks.finish} throws it afterwards.
 */
import koffi from 'koffi';
import { cancelled } from '../../shared/errorCatalog.ts';
import type { Pointer } from '../native/functions.ts';

/** Sees every node of the graph in order. */
export interface NodeObserver {
  /** Before a node is computed: true = call `ready` once its data is there. */
  wants(index: number, tensor: Pointer): boolean;
  ready(index: number, tensor: Pointer): void;
}

const evaluationType = koffi.pointer(koffi.proto('bool loupe_evaluation_callback(uintptr_t tensor, bool ask, void* data)'));
const abortType = koffi.pointer(koffi.proto('bool loupe_abort_callback(void* data)'));

export class EvaluationCallbacks {
  /** Addresses for `llama_context_params`. */
  readonly evaluation: bigint;
  readonly abort: bigint;
  #observer: NodeObserver | null = null;
  #shouldStop: () => boolean = () => false;
  #stopped = false;
  #failed: { readonly error: unknown } | null = null;
  #index = -1;

  constructor() {
    this.evaluation = koffi.register((tensor: Pointer, ask: boolean) => this.#onNode(tensor, ask), evaluationType);
    this.abort = koffi.register(() => this.#onAbortPoll(), abortType);
  }

  /** Prepares one evaluation. */
  begin(observer: NodeObserver | null, shouldStop: () => boolean): void {
    this.#observer = observer;
    this.#shouldStop = shouldStop;
    this.#stopped = false;
    this.#failed = null;
    this.#index = -1;
  }

  /**
   * Ends it.
   * @throws E_CANCELLED when it was stopped, or what a callback threw
   */
  finish(): void {
    const failed = this.#failed;
    this.#observer = null;
    this.#failed = null;
    if (failed !== null) throw failed.error;
    if (this.#stopped) throw cancelled();
  }

  get interrupted(): boolean {
    return this.#stopped || this.#failed !== null;
  }

  /** Call only when no context uses the callbacks any more. */
  unregister(): void {
    koffi.unregister(this.evaluation);
    koffi.unregister(this.abort);
  }

  #onNode(tensor: Pointer, ask: boolean): boolean {
    const observer = this.#observer;
    if (ask) this.#index++;
    if (observer === null || this.interrupted) return !ask;
    try {
      if (ask) return observer.wants(this.#index, tensor);
      observer.ready(this.#index, tensor);
      return true;
    } catch (error) {
      this.#failed = { error };
      return false;
    }
  }

  /** Polled before every node; true stops the evaluation. */
  #onAbortPoll(): boolean {
    if (this.interrupted) return true;
    try {
      this.#stopped = this.#shouldStop();
    } catch (error) {
      this.#failed = { error };
    }
    return this.interrupted;
  }
}
