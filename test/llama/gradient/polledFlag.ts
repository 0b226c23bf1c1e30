/**
 * A cancel flag that sets itself after a number of polls. The engine reads it with `Atomics.load`, which takes no subclass of an
 * array; so the reads of this one array are counted where they happen.
 */
export class PolledFlag {
  readonly array = new Int32Array(new SharedArrayBuffer(4));
  polls = 0;
  #stopAt = Number.POSITIVE_INFINITY;

  constructor() {
    const load = Atomics.load.bind(Atomics) as (array: Int32Array, index: number) => number;
    Object.assign(Atomics, {
      load: (array: Int32Array, index: number) => {
        if (array === this.array && ++this.polls > this.#stopAt) return 1;
        return load(array, index);
      },
    });
  }

  /** Counts from 0 again. @param stopAt polls after which the flag reads as set */
  restart(stopAt: number): void {
    this.polls = 0;
    this.#stopAt = stopAt;
  }
}
