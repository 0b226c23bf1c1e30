/** Calls back once after a time without use. 0 = never. Does not keep the process alive. */
export class IdleTimer {
  readonly #milliseconds: number;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, onIdle: () => void) {
    this.#milliseconds = milliseconds;
    this.#onIdle = onIdle;
  }

  restart(): void {
    this.stop();
    if (this.#milliseconds > 0) this.#timer = setTimeout(this.#onIdle, this.#milliseconds).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
