import { cancelled } from '../../shared/errorCatalog.ts';

/** Whether a run must stop: the shared flag (set by another thread) or a signal (set between evaluations of this one). */
export class Cancellation {
  readonly #flag: Int32Array | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(flag: Int32Array | undefined, signal: AbortSignal | undefined) {
    this.#flag = flag;
    this.#signal = signal;
  }

  /** Cheap: polled before every node of the graph. */
  readonly requested = (): boolean =>
    (this.#flag !== undefined && Atomics.load(this.#flag, 0) !== 0) || this.#signal?.aborted === true;

  /** @throws E_CANCELLED */
  check(): void {
    if (this.requested()) throw cancelled();
  }

  /** Lets signals and messages arrive between two evaluations. @throws E_CANCELLED */
  async breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.check();
  }
}
