import { cancelled } from '../shared/errorCatalog.ts';

/**
 * Lets one task run at a time, in the order asked for. An aborted caller is rejected at once,
 * but the next task starts only when the running one has really ended.
 */
export class TurnTaker {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws E_CANCELLED when `signal` aborts; otherwise as `task` */
  take<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(cancelled());
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#last = this.#last
        .then(() => (signal?.aborted ? undefined : task().then(resolve)))
        .catch(reject)
        .finally(() => signal?.removeEventListener('abort', onAbort));
    });
  }
}
