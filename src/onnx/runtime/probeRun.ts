import { elementTypes, type GraphTensor, type GraphValue, type OnnxGraph } from '../graph/graph.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { clampToSafe } from '../proto/fields.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { type FeedOptions, feeds } from './feeds.ts';
import { probeGraph } from './probeGraph.ts';
import { createSession } from './session.ts';
import { dataFromBytes, type TensorValue } from './tensorValue.ts';

/** Tensors of at most this many numbers are kept with their values. */
const valueLimit = 64;
const valueTypes: ReadonlySet<number> = new Set([
  elementTypes.int64,
  elementTypes.int32,
  elementTypes.int16,
  elementTypes.int8,
  elementTypes.uint8,
  elementTypes.bool,
  elementTypes.float32,
  elementTypes.float64,
]);
/** Outputs of these are lists of tensors, which cannot be outputs of the graph. */
const listOperators = /^(Sequence|SplitToSequence|Optional)/;

export interface ProbeOptions extends FeedOptions {
  readonly threads: number;
}

interface Seen {
  readonly type: number;
  readonly dims: readonly number[];
  readonly values: readonly number[] | null;
}

/**
 * Runs the graph on 5 and on 7 different tokens with every tensor as an output, and keeps types, shapes and small whole numbers.
 * @throws E_ONNX_UNSUPPORTED, E_ONNX_RUNTIME
 */
export async function probeRun(graph: OnnxGraph, options: ProbeOptions): Promise<Probe> {
  const first = [5, 6, 7, 8, 9];
  const second = [11, 12, 13, 14, 15, 16, 17];
  const [seenFirst, seenSecond] = await seenAt(graph, [first, second], options);
  const facts = new Map<string, TensorFacts>();
  for (const [name, a] of seenFirst) {
    const b = seenSecond.get(name);
    if (b === undefined) continue;
    const values: TensorFacts['values'] = a.values === null || b.values === null ? null : [a.values, b.values];
    facts.set(name, { type: a.type, dims: [a.dims, b.dims], values });
  }
  return {
    lengths: [first.length, second.length],
    facts: (tensor) => facts.get(tensor) ?? initializerFacts(graph.initializers.get(tensor)),
  };
}

/** One session for both: preparing it is most of the work. */
async function seenAt(
  graph: OnnxGraph,
  prompts: readonly [readonly number[], readonly number[]],
  options: ProbeOptions,
): Promise<readonly [Map<string, Seen>, Map<string, Seen>]> {
  const outputs = graph.nodes
    .filter(({ op }) => !listOperators.test(op))
    .flatMap((node) => node.outputs)
    .filter((name) => name !== '');
  const bytes = writeGraph(probeGraph(graph), { outputs });
  // Every tensor as it is named in the file: nothing may be fused, and copies of weights for speed would cost more than they save.
  const session = await createSession(bytes, graph.folder, {
    threads: options.threads,
    optimisation: 'disabled',
    prepacking: false,
  });
  const seenOf = async (ids: readonly number[]) => {
    const given = feeds(graph.inputs, ids, options);
    const results = await session.run(given);
    return new Map([...Object.entries(given), ...Object.entries(results)].map(([name, value]) => [name, seen(value)]));
  };
  try {
    return [await seenOf(prompts[0]), await seenOf(prompts[1])];
  } finally {
    await session.release();
  }
}

/** Inputs with the dimensions of these values, which ONNX Runtime plans faster than open ones. */
export function fixedInputs(inputs: readonly GraphValue[], given: Readonly<Record<string, TensorValue>>): GraphValue[] {
  return inputs.map((input) => ({ ...input, dims: given[input.name]?.dims ?? input.dims }));
}

function seen({ type, dims, data }: TensorValue): Seen {
  const keep = valueTypes.has(type) && data.length <= valueLimit;
  return { type, dims, values: keep ? Array.from(data, clamped) : null };
}

function initializerFacts(tensor: GraphTensor | undefined): TensorFacts | undefined {
  if (tensor === undefined) return undefined;
  const { type, dims, bytes } = tensor;
  const data = bytes === null || !valueTypes.has(type) ? null : dataFromBytes(type, bytes);
  const values = data === null || data.length > valueLimit ? null : Array.from(data, clamped);
  return { type, dims: [dims, dims], values: values === null ? null : [values, values] };
}

/** INT64_MAX, which stands for “to the end” in slices, as the largest exact number. */
function clamped(value: number | bigint): number {
  return typeof value === 'number' ? value : clampToSafe(value);
}
