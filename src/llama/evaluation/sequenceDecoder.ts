/** Evaluates one growing sequence: what text generation needs of a context. */
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import type { LlamaContext } from './context.ts';

export class SequenceDecoder {
  readonly #context: LlamaContext;
  readonly #cancellation: Cancellation;

  constructor(context: LlamaContext, cancellation: Cancellation) {
    this.#context = context;
    this.#cancellation = cancellation;
    context.shouldStop = cancellation.requested;
  }

  /**
   * Puts `tokens` at position `from`, forgetting what stood at or after it, and returns the logits behind the last one,
   * [vocabulary], the caller's own copy. Lets messages arrive first, so that a signal can stop a generation.
   * @throws E_CANCELLED
   */
  async decode(tokens: Int32Array, from: number): Promise<Float32Array> {
    await this.#cancellation.breathe();
    const last = tokens.length - 1;
    this.#context.decode({ tokens, from, outputs: [last] });
    return this.#context.logits(last);
  }
}
