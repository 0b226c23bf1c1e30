import type { OnnxSession } from '../runtime/session.ts';

/**
 * Sessions by what they compute. Preparing one takes seconds on a large model, running it again nothing; but each holds its own
 * activations and packed weights, so only the last few are kept.
 */
export class SessionCache {
  readonly #sessions = new Map<string, OnnxSession>();

  constructor(private readonly limit: number) {}

  /** @throws what `create` throws */
  async get(key: string, create: () => Promise<OnnxSession>): Promise<OnnxSession> {
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      // The order of the map is that of the last use.
      this.#sessions.delete(key);
      this.#sessions.set(key, known);
      return known;
    }
    while (this.#sessions.size >= this.limit) await this.#releaseOldest();
    const session = await create();
    this.#sessions.set(key, session);
    return session;
  }

  async release(): Promise<void> {
    while (this.#sessions.size > 0) await this.#releaseOldest();
  }

  async #releaseOldest(): Promise<void> {
    const [oldest] = this.#sessions;
    if (oldest === undefined) return;
    this.#sessions.delete(oldest[0]);
    await oldest[1].release();
  }
}
