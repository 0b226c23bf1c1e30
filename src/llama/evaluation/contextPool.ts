/** Keeps one context, as large as the longest request so far needed, so that short prompts stay cheap in memory. */
import { LlamaContext } from './context.ts';
import type { NativeModel } from '../native/nativeModel.ts';

const smallest = 256;

export class ContextPool {
  readonly #native: NativeModel;
  readonly #threads: number;
  readonly #limit: number;
  readonly #trainedLength: number;
  #context: LlamaContext | null = null;

  /**
   * @param limit most tokens any context may hold
   * @param trainedLength length at which the model switches its rotary factors (phi3 longrope), else Infinity: a context
   *   on one side of it gives other results than one on the other side, so one is never used for the other
   */
  constructor(native: NativeModel, threads: number, limit: number, trainedLength: number) {
    this.#native = native;
    this.#threads = threads;
    this.#limit = limit;
    this.#trainedLength = trainedLength;
  }

  /**
   * A context, emptied, that holds at least `tokens`.
   * @throws E_OUT_OF_MEMORY
   */
  acquire(tokens: number): LlamaContext {
    let context = this.#context;
    const crosses = context !== null && context.capacity > this.#trainedLength !== tokens > this.#trainedLength;
    if (context === null || context.capacity < tokens || crosses) {
      // The old one goes first: both at once could be more than the machine has.
      this.free();
      context = new LlamaContext(this.#native, this.#size(tokens), this.#threads);
      this.#context = context;
    }
    context.clear();
    return context;
  }

  free(): void {
    this.#context?.free();
    this.#context = null;
  }

  #size(tokens: number): number {
    let size = smallest;
    while (size < tokens) size *= 2;
    const limit = tokens > this.#trainedLength ? this.#limit : Math.min(this.#limit, this.#trainedLength);
    return Math.min(size, limit);
  }
}
