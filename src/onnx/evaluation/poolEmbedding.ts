import { elementTypes, type OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import type { Structure } from '../structure/recognise.ts';

/**
 * One vector of length 1 for the whole text, added to the graph: the model's own sentence embedding, or the mean of its last hidden
 * states over all tokens (Reimers & Gurevych 2019, arXiv 1908.10084).
 * @returns name of the output [1, D], and facts that know it
 */
export function poolEmbedding(
  graph: OnnxGraph,
  probe: Probe,
  { output, hidden }: Pick<Structure, 'output' | 'hidden'>,
): { readonly output: string; readonly probe: Probe } {
  const builder = new GraphBuilder(graph, 'loupe/pool');
  const isWhole = (probe.facts(output)?.dims[0].length ?? 0) === 2;
  const pooled = isWhole ? output : builder.mean(output, [1], false);
  const squares = builder.sum(builder.multiply(pooled, pooled), [-1]);
  const length = builder.node('Sqrt', [squares]);
  const unit = builder.divide(pooled, length);
  graph.nodes.push(...builder.nodes);
  const known = new Map<string, TensorFacts>();
  for (const { outputs } of builder.nodes) {
    for (const name of outputs) {
      const dims = name === squares || name === length ? [1, 1] : [1, hidden];
      known.set(name, { type: elementTypes.float32, dims: [dims, dims], values: null });
    }
  }
  return { output: unit, probe: { lengths: probe.lengths, facts: (tensor) => known.get(tensor) ?? probe.facts(tensor) } };
}
