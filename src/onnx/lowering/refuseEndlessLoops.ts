import type { OnnxGraph } from '../graph/graph.ts';
import { unsupported } from './loweringContext.ts';
import { loopObstacle, neverEnds } from './unrollLoops.ts';

/**
 * A loop that was not laid out runs when the graph does, and native code cannot be stopped: one that says itself that it does not end is never run.
 * @throws E_ONNX_UNSUPPORTED naming the node
 */
export function refuseEndlessLoops(graph: OnnxGraph): void {
  const endless = graph.nodes.find((node) => neverEnds(graph, node));
  if (endless !== undefined) throw unsupported(endless, loopObstacle(graph, null, endless));
}
