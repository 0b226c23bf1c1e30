import { TurnTaker } from './turnTaker.ts';

export interface QueueEntry {
  readonly requestId: string;
  /** What is done, never the prompt itself: "Explain", "Load tiny.gguf". */
  readonly title: string;
}

/** One request at a time, first come first served, for everyone to see. */
export class RequestQueue {
  readonly #turns = new TurnTaker();
  readonly #onChange: () => void;
  #waiting: readonly QueueEntry[] = [];
  #running: QueueEntry | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get waiting(): readonly QueueEntry[] {
    return this.#waiting;
  }

  /** Still set for a moment after a cancel: until the model has really stopped. */
  get running(): QueueEntry | null {
    return this.#running;
  }

  get empty(): boolean {
    return this.#running === null && this.#waiting.length === 0;
  }

  /** @throws E_CANCELLED at once when `signal` aborts, waiting or running; otherwise as `task` */
  run<T>(entry: QueueEntry, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const leave = () => {
      if (!this.#waiting.includes(entry)) return;
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      this.#onChange();
    };
    this.#waiting = [...this.#waiting, entry];
    this.#onChange();
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    return this.#turns.take(signal, async () => {
      this.#running = entry;
      leave();
      try {
        return await task();
      } finally {
        signal.removeEventListener('abort', leave);
        this.#running = null;
        this.#onChange();
      }
    });
  }
}
