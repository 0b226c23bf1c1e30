import type { OnnxGraph } from '../graph/graph.ts';
import { namesRead } from '../proto/linkGraph.ts';

/** Operators whose result tells the shape of what they read, not its content. */
const shapeOperators: ReadonlySet<string> = new Set(['Shape', 'Size']);

/**
 * Names of all tensors that are computed from the content of the inputs (ids, mask), not from their shapes alone. What is not among them
 * is a function of the prompt's length.
 */
export function tensorsFromData(graph: OnnxGraph): Set<string> {
  const fromData = new Set(graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    if (shapeOperators.has(node.op) || !namesRead(node).some((name) => fromData.has(name))) continue;
    for (const name of node.outputs) fromData.add(name);
  }
  return fromData;
}
