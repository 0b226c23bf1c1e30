import type { AblationStore } from '../attribution/method.ts';

/** Sets of ablated prompts that are remembered; the oldest goes first. */
const most = 16;

/** What a surrogate learned of ablated prompts, so that another span of the same response needs no new run. One for each loaded model. */
export class AblationCache implements AblationStore {
  readonly #sets = new Map<string, NonNullable<ReturnType<AblationStore['get']>>>();

  get(key: string): ReturnType<AblationStore['get']> {
    return this.#sets.get(key);
  }

  set(key: string, rows: NonNullable<ReturnType<AblationStore['get']>>): void {
    this.#sets.delete(key);
    this.#sets.set(key, rows);
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size <= most) break;
      this.#sets.delete(oldest);
    }
  }
}
