/** Keeps one context, as large as the longest request so far needed, so that short prompts stay cheap in memory. */
import { outOfMemory } from '../../shared/errorCatalog.ts';
import { LlamaContext } from './context.ts';
import type { NativeModel } from '../native/nativeModel.ts';

const smallest = 256;

export interface ContextSettings {
  readonly threads: number;
  /** Most tokens any context may hold. */
  readonly limit: number;
  /**
   * Length at which the model switches its rotary factors (phi3 longrope), else Infinity: a context on one side of it gives
   * other results than one on the other side, so one is never used for the other.
   */
  readonly trainedLength: number;
  /** Bytes of the key/value cache for each token. */
  readonly bytesPerToken: number;
  /** Bytes this process may use. The cache is zeroed when it is made: one beyond this would end in the system's out-of-memory killer. */
  readonly memory: number;
}

export class ContextPool {
  readonly #native: NativeModel;
  readonly #settings: ContextSettings;
  #context: LlamaContext | null = null;

  constructor(native: NativeModel, settings: ContextSettings) {
    this.#native = native;
    this.#settings = settings;
  }

  /**
   * A context, emptied, that holds at least `tokens`.
   * @throws E_OUT_OF_MEMORY
   */
  acquire(tokens: number): LlamaContext {
    const context = this.resume(tokens);
    context.clear();
    return context;
  }

  /** The same with whatever its cache holds. @throws E_OUT_OF_MEMORY */
  resume(tokens: number): LlamaContext {
    const { trainedLength, threads } = this.#settings;
    let context = this.#context;
    const crosses = context !== null && context.capacity > trainedLength !== tokens > trainedLength;
    if (context === null || context.capacity < tokens || crosses) {
      // The old one goes first: both at once could be more than the machine has.
      this.free();
      context = new LlamaContext(this.#native, this.#size(tokens), threads);
      this.#context = context;
    }
    return context;
  }

  free(): void {
    this.#context?.free();
    this.#context = null;
  }

  #size(tokens: number): number {
    const { limit, trainedLength, bytesPerToken, memory } = this.#settings;
    let size = smallest;
    while (size < tokens) size *= 2;
    // The limit on tokens is checked elsewhere; llama.cpp rounds every cache up to this size anyway.
    size = Math.max(smallest, Math.min(size, tokens > trainedLength ? limit : Math.min(limit, trainedLength)));
    if (size * bytesPerToken > memory) {
      const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
      throw outOfMemory(
        `a context of ${size} tokens needs ${gigabytes(size * bytesPerToken)} GB, and there are ${gigabytes(memory)} GB`,
      );
    }
    return size;
  }
}
