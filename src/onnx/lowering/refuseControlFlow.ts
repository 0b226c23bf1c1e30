import type { GraphNode, OnnxGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { namesRead } from '../proto/linkGraph.ts';
import { DataFlow } from '../structure/dataFlow.ts';
import { findEmbedding } from '../structure/findEmbedding.ts';
import { unsupported } from './loweringContext.ts';
import { loopObstacle } from './unrollLoops.ts';

/**
 * Branches and loops that are left may compute masks and positions; what is explained, from the embeddings on, cannot be seen inside them.
 * @throws E_ONNX_UNSUPPORTED naming the node and why it could not be replaced
 */
export function refuseControlFlow(graph: OnnxGraph, probe: Probe): void {
  const left = graph.nodes.filter(({ op, domain }) => domain === '' && ['If', 'Loop', 'Scan'].includes(op));
  if (left.length === 0) return;
  const flow = new DataFlow(graph);
  const embedding = findEmbedding(flow, probe);
  if (embedding === null) return;
  const after = flow.after(embedding.tensor);
  const inside = left.find((node) => namesRead(node).some((name) => name === embedding.tensor || after.has(name)));
  if (inside !== undefined) throw unsupported(inside, reason(graph, probe, inside));
}

function reason(graph: OnnxGraph, probe: Probe, node: GraphNode): string {
  if (node.op === 'If') return 'which of its branches is taken depends on the prompt';
  return node.op === 'Loop' ? loopObstacle(graph, probe, node) : 'a scan over a sequence is not handled';
}
