/** Writes token by token: with the keys and values of the tokens before where the file takes them, else from the beginning each time. */
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { feeds } from '../runtime/feeds.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { forward } from './forward.ts';
import { keyValueNames, type KeyValueNames } from './keyValueNames.ts';

/** The graph as the file has it, with its inputs for keys and values. */
export interface SequenceSource {
  readonly graph: () => OnnxGraph;
  /** Its output with the logits. */
  readonly logits: string;
}

export class SequenceDecoder {
  #tokens = new Int32Array(0);
  #past: Record<string, TensorValue> = {};
  readonly #names: readonly KeyValueNames[] | null;

  constructor(
    private readonly evaluator: OnnxEvaluator,
    private readonly source: SequenceSource,
    private readonly cancellation: Cancellation,
  ) {
    this.#names = keyValueNames(source.graph());
  }

  /**
   * @param position how many tokens stand before; 0 begins a new sequence
   * @returns [V] logits after the last token
   * @throws as `forward`
   */
  async decode(tokens: Int32Array, position: number): Promise<Float32Array> {
    this.cancellation.check();
    const before = this.#tokens.subarray(0, position);
    const all = new Int32Array(before.length + tokens.length);
    all.set(before);
    all.set(tokens, before.length);
    this.#tokens = all;
    if (this.#names !== null) return await this.#decodeCached(this.#names, tokens, position);
    const { logits } = await forward(this.evaluator, { tokens: all, logits: 'last' }, this.cancellation);
    await this.cancellation.breathe();
    return logits?.values ?? new Float32Array(0);
  }

  async #decodeCached(names: readonly KeyValueNames[], tokens: Int32Array, position: number): Promise<Float32Array> {
    const { evaluator } = this;
    const graph = this.source.graph();
    const { logits } = this.source;
    const present = names.map((name) => name.present);
    const session = await evaluator.sessions.get('generate', () =>
      createSession(writeGraph(graph, { outputs: [logits, ...present] }), graph.folder, evaluator.sessionOptions),
    );
    if (position === 0) this.#past = {};
    const past = { length: position, values: this.#past };
    const given = feeds(graph.inputs, Array.from(tokens), { ...evaluator.feedOptions, ...(position === 0 ? {} : { past }) });
    const results = await session.run(given);
    this.#past = {};
    for (const name of names) {
      const value = results[name.present];
      if (value !== undefined) this.#past[name.past] = value;
    }
    await this.cancellation.breathe();
    return lastRow(results[logits], evaluator.info.vocabulary);
  }
}

/** @param values [1, T, V], float32 or the bits of float16 */
function lastRow(values: TensorValue | undefined, width: number): Float32Array {
  const data = values?.data;
  if (data instanceof Float32Array) return data.slice(data.length - width);
  if (data instanceof Uint16Array) return Float32Array.from(data.subarray(data.length - width), halfToFloat);
  throw new Error('the logits are no float tensor');
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
