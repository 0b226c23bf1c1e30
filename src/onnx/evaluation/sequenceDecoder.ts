/** Writes token by token: with the keys and values of the tokens before where the file takes them, else from the beginning each time. */
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import type { KeyValueReader } from '../keptTokens/keyValueReader.ts';
import type { KeptTokens } from '../keptTokens/keyValueRun.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { forward } from './forward.ts';

export class SequenceDecoder {
  #tokens = new Int32Array(0);
  #kept: KeptTokens | null = null;

  /** @param reader null: the file takes no keys and values */
  constructor(
    private readonly evaluator: OnnxEvaluator,
    private readonly reader: KeyValueReader | null,
    private readonly cancellation: Cancellation,
  ) {}

  /**
   * @param position how many tokens stand before; 0 begins a new sequence
   * @returns [V] logits after the last token
   * @throws as `forward`
   */
  async decode(tokens: Int32Array, position: number): Promise<Float32Array> {
    this.cancellation.check();
    const logits =
      this.reader === null ? await this.#decodeWhole(tokens, position) : await this.#decode(this.reader, tokens, position);
    await this.cancellation.breathe();
    return logits ?? new Float32Array(0);
  }

  async #decode(reader: KeyValueReader, tokens: Int32Array, position: number): Promise<Float32Array | undefined> {
    const before = position === 0 ? null : this.#kept;
    const { rows, kept } = await reader.run({ tokens, before, rows: [tokens.length - 1], keep: true });
    this.#kept = kept;
    return rows[0];
  }

  async #decodeWhole(tokens: Int32Array, position: number): Promise<Float32Array | undefined> {
    const before = this.#tokens.subarray(0, position);
    const all = new Int32Array(before.length + tokens.length);
    all.set(before);
    all.set(tokens, before.length);
    this.#tokens = all;
    const { logits } = await forward(this.evaluator, { tokens: all, logits: 'last' }, this.cancellation);
    return logits?.values;
  }
}
