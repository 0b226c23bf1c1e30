/**
 * Calls back when no sign of life came for a number of ticks. It counts ticks and not time:
 * after a machine slept, one late tick must not end a healthy engine.
 */
export class Watchdog {
  readonly #onTick: () => void;
  readonly #onSilence: () => void;
  readonly #ticksAllowed: number;
  readonly #tickMilliseconds: number;
  #timer: NodeJS.Timeout | undefined;
  #silentTicks = 0;

  constructor(options: {
    readonly tickMilliseconds: number;
    readonly ticksAllowed: number;
    readonly onSilence: () => void;
    readonly onTick?: () => void;
  }) {
    this.#tickMilliseconds = options.tickMilliseconds;
    this.#ticksAllowed = options.ticksAllowed;
    this.#onSilence = options.onSilence;
    this.#onTick = options.onTick ?? (() => undefined);
  }

  start(): void {
    this.#silentTicks = 0;
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMilliseconds).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  sign(): void {
    this.#silentTicks = 0;
  }

  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks <= this.#ticksAllowed) return this.#onTick();
    this.stop();
    this.#onSilence();
  }
}
