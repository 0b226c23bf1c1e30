import type { GraphNode, OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe } from '../graph/probe.ts';
import { namesRead } from '../proto/linkGraph.ts';
import { sameDims } from './noOperation.ts';

/** Products that read rows, and what adds a bias to them. */
const products: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'FusedMatMul']);

/**
 * Gives residual connections their three axes back, in place. Exports of OPT flatten [batch, tokens, hidden] to rows before the feed-forward
 * block, add the stream there, and unfold the sum: then neither the stream nor the block's result has the shape of a site. The sum is
 * taken after unfolding instead, and what the block's last product reads is unfolded once. Every number stays the same, bit for bit.
 * @returns how many sums were moved
 */
export function unflattenSums(graph: OnnxGraph, probe: Probe): number {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  let counted: ReadonlyMap<string, number> | null = null;
  const readers = (name: string) => (counted ??= readersOf(graph)).get(name);
  const rank = (name: string) => probe.facts(name)?.dims[0].length;
  const isAlike = (a: string, b: string) => {
    const [of, like] = [probe.facts(a), probe.facts(b)];
    return of !== undefined && like !== undefined && [0, 1].every((run) => sameDims(of.dims[run] ?? [], like.dims[run] ?? []));
  };
  /** What was flattened into rows. */
  const whole = (rows: string) => {
    const node = makers.get(rows);
    return node?.op === 'Reshape' ? node.inputs[0] : undefined;
  };
  const builder = new GraphBuilder(graph, 'loupe/rows');
  const before = new Map<GraphNode, GraphNode[]>();
  const behind = new Map<GraphNode, GraphNode[]>();
  const gone = new Set<GraphNode>();
  const written = (): GraphNode[] => builder.nodes.splice(0);

  for (const node of graph.nodes) {
    const [rows = '', shape = ''] = node.inputs;
    const [unfolded = ''] = node.outputs;
    const sum = makers.get(rows);
    if (node.op !== 'Reshape' || sum?.op !== 'Add' || rank(rows) !== 2 || rank(unfolded) !== 3 || readers(rows) !== 1) continue;
    const stream = sum.inputs.find((name) => isAlike(whole(name) ?? '', unfolded));
    const other = sum.inputs.find((name) => name !== stream);
    if (stream === undefined || other === undefined || rank(other) !== 2) continue;
    gone.add(sum);
    node.inputs = [other, shape];
    node.outputs = [builder.fresh('branch')];
    builder.node('Add', [whole(stream) ?? '', ...node.outputs], {}, { output: unfolded });
    behind.set(node, written());
    const product = productOf(other);
    if (product !== null && unfoldInput(product, probe.facts(unfolded)?.dims[0][0])) before.set(product, written());
  }
  graph.nodes = graph.nodes
    .filter((node) => !gone.has(node))
    .flatMap((node) => [...(before.get(node) ?? []), node, ...(behind.get(node) ?? [])]);
  return gone.size;

  /** The product behind a result, past its bias. */
  function productOf(result: string): GraphNode | null {
    const node = makers.get(result);
    if (node === undefined || products.has(node.op)) return node ?? null;
    const term = node.op === 'Add' ? node.inputs.filter((name) => !graph.initializers.has(name)) : [];
    const [only] = term;
    const maker = term.length === 1 && only !== undefined ? makers.get(only) : undefined;
    return maker !== undefined && products.has(maker.op) ? maker : null;
  }

  function unfoldInput(product: GraphNode, batch: number | undefined): boolean {
    const [input = ''] = product.inputs;
    const dims = probe.facts(input)?.dims;
    const width = dims?.[0][1];
    if (batch === undefined || width === undefined || width !== dims?.[1]?.[1] || rank(input) !== 2 || whole(input) !== undefined)
      return false;
    const unfolded = builder.node('Reshape', [input, builder.ints(batch, -1, width)]);
    product.inputs = [builder.node('Reshape', [unfolded, builder.ints(-1, width)]), ...product.inputs.slice(1)];
    return true;
  }
}

/** How often each tensor is read. */
function readersOf(graph: OnnxGraph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap(namesRead), ...graph.outputs.map((output) => output.name)])
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
