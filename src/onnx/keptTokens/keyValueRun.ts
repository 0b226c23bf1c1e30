import { writeGraph } from '../proto/writeGraph.ts';
import { rowsInput, rowsValue } from '../evaluation/selectRows.ts';
import { type FeedOptions, feeds } from '../runtime/feeds.ts';
import { createSession, type OnnxSession, type SessionOptions } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { halfToFloat } from './halfToFloat.ts';
import type { KeyValueGraph } from './keyValueGraph.ts';

/** Keys and values of the first tokens of a sequence. */
export interface KeptTokens {
  readonly length: number;
  /** [1, key/value heads, length, head size] by name of the input that takes it. */
  readonly values: Readonly<Record<string, TensorValue>>;
}

/** Tokens, what stands before them (null: nothing), and which of them logits are wanted of, ascending, counted from the first of them. */
export interface KeyValueRequest {
  readonly tokens: Int32Array;
  readonly before: KeptTokens | null;
  readonly rows: readonly number[];
  /** Whether keys and values of all tokens are to be handed out. */
  readonly keep: boolean;
}

export interface KeyValueResult {
  /** [V] logits of each of `rows`. */
  readonly rows: readonly Float32Array[];
  /** Of the tokens before and those given; null where they were not asked for. */
  readonly kept: KeptTokens | null;
}

export function keyValueSession({ graph, logits, names }: KeyValueGraph, options: SessionOptions): Promise<OnnxSession> {
  const outputs = [logits, ...names.map(({ present }) => present)];
  return createSession(writeGraph(graph, { outputs }), graph.folder, options);
}

/**
 * Runs the file's own graph on the tokens that follow those kept.
 * @param session of that graph
 * @throws E_ONNX_RUNTIME, E_ONNX_UNSUPPORTED
 */
export async function keyValueRun(
  { graph, logits, names, selectsRows }: KeyValueGraph,
  session: OnnxSession,
  options: FeedOptions,
  { tokens, before, rows, keep }: KeyValueRequest,
): Promise<KeyValueResult> {
  const inputs = graph.inputs.filter(({ name }) => name !== rowsInput);
  const given = feeds(inputs, Array.from(tokens), { ...options, ...(before === null ? {} : { past: before }) });
  const results = await session.run({ ...given, ...(selectsRows ? { [rowsInput]: rowsValue(rows) } : {}) }, [
    ...(rows.length > 0 ? [logits] : []),
    ...(keep ? names.map(({ present }) => present) : []),
  ]);
  const values: Record<string, TensorValue> = {};
  for (const { past, present } of names) {
    const value = results[present];
    if (value !== undefined) values[past] = value;
  }
  return {
    rows: rowsOf(results[logits], selectsRows ? rows.map((_, place) => place) : rows),
    kept: keep ? { length: (before?.length ?? 0) + tokens.length, values } : null,
  };
}

/** @param value [1, N, V], float32 or the bits of float16 */
function rowsOf(value: TensorValue | undefined, places: readonly number[]): Float32Array[] {
  const width = value?.dims.at(-1) ?? 0;
  const data = value?.data;
  return places.map((place) => {
    const [start, end] = [place * width, (place + 1) * width];
    if (data instanceof Float32Array) return data.slice(start, end);
    if (data instanceof Uint16Array) return Float32Array.from(data.subarray(start, end), halfToFloat);
    throw new Error('the logits are no float tensor');
  });
}

/** The first tokens of those kept, as copies. */
export function keptBeginning({ length, values }: KeptTokens, tokens: number): KeptTokens {
  if (tokens === length) return { length, values };
  const cut = Object.entries(values).map(([name, value]) => [name, firstTokens(value, length, tokens)] as const);
  return { length: tokens, values: Object.fromEntries(cut) };
}

/** @param value [1, heads, length, size] → [1, heads, tokens, size] */
function firstTokens({ type, dims, data }: TensorValue, length: number, tokens: number): TensorValue {
  const size = dims.at(-1) ?? 0;
  if (!(data instanceof Float32Array) || dims.at(-2) !== length) throw new Error('keys and values are no float32 rows of tokens');
  const heads = data.length / (length * size);
  const first = new Float32Array(heads * tokens * size);
  for (let head = 0; head < heads; head++) {
    const start = head * length * size;
    first.set(data.subarray(start, start + tokens * size), head * tokens * size);
  }
  return { type, dims: [...dims.slice(0, -2), tokens, size], data: first };
}
