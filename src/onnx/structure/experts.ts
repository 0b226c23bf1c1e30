import { type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';

/** A feed-forward block of which each token takes a few of many parts, as one operator. */
export function isExperts(node: GraphNode): boolean {
  const key = operatorKey(node);
  return key === 'com.microsoft:MoE' || key === 'com.microsoft:QMoE';
}

/** What cannot be seen of a model with such blocks; null where there are none. */
export function expertsNote({ nodes }: OnnxGraph): string | null {
  const found = nodes.filter(isExperts);
  const [first] = found;
  if (first === undefined) return null;
  return (
    `feed-forward blocks are mixtures of experts (${operatorKey(first)}, ${found.length} of them): their neurons are not visible and no gradient ` +
    'goes through them; attention, streams and methods without gradients work'
  );
}
