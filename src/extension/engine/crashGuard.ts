/** Stops restarting an engine that keeps dying: `limit` crashes within `windowMilliseconds`. */
export class CrashGuard {
  readonly limit: number;
  readonly #windowMilliseconds: number;
  readonly #now: () => number;
  #crashes: readonly number[] = [];

  constructor(options: { readonly limit: number; readonly windowMilliseconds: number; readonly now?: () => number }) {
    this.limit = options.limit;
    this.#windowMilliseconds = options.windowMilliseconds;
    this.#now = options.now ?? Date.now;
  }

  record(): void {
    this.#crashes = [...this.#recent(), this.#now()];
  }

  /** True until the crashes are old enough, or `reset`. */
  get tripped(): boolean {
    return this.#recent().length >= this.limit;
  }

  reset(): void {
    this.#crashes = [];
  }

  #recent(): readonly number[] {
    const since = this.#now() - this.#windowMilliseconds;
    return this.#crashes.filter((time) => time > since);
  }
}
