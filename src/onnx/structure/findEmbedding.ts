import { elementTypes } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { tokenInput } from '../runtime/feeds.ts';
import type { DataFlow } from './dataFlow.ts';

export interface Embedding {
  /** Input of token ids. */
  readonly ids: string;
  /** [batch, tokens, width] */
  readonly tensor: string;
  /** Rows of the table; null when it is not a constant. */
  readonly vocabulary: number | null;
}

/** Steps between ids and the rows of a quantised table. */
const between: ReadonlySet<string> = new Set([
  'Cast',
  'Identity',
  'DequantizeLinear',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Mul',
  'Sub',
]);

/**
 * The embedding of tokens: the first float tensor of at least two dimensions that ids index, and from which an output can be reached
 * (exporters leave dead copies).
 */
export function findEmbedding(flow: DataFlow, probe: Probe): Embedding | null {
  const { graph } = flow;
  const input = tokenInput(graph.inputs);
  if (input === undefined) return null;
  const outputs = graph.outputs.map(({ name }) => name);
  const fromIds = new Set([input.name]);
  let table: number | null = null;
  for (const node of graph.nodes) {
    const [output = ''] = node.outputs;
    const isGather = node.op === 'Gather' || node.op === 'GatherBlockQuantized';
    const indexed = isGather && fromIds.has(node.inputs[1] ?? '') && !fromIds.has(node.inputs[0] ?? '');
    const follows = between.has(node.op) && node.inputs.some((name) => fromIds.has(name));
    if (!indexed && !follows) continue;
    if (indexed) table = flow.table(node.inputs[0] ?? '')?.dims[0] ?? null;
    const facts = probe.facts(output);
    const isEmbedding = facts?.type === elementTypes.float32 && facts.dims[0].length >= (indexed ? 2 : 3);
    if (!isEmbedding) {
      fromIds.add(output);
      continue;
    }
    const reached = flow.after(output);
    if (outputs.some((name) => reached.has(name))) return { ids: input.name, tensor: output, vocabulary: table };
  }
  return null;
}
