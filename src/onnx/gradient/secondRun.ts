import { gradientUnsupported } from '../../shared/errorCatalog.ts';
import { type GraphNode, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import { namesRead } from '../proto/linkGraph.ts';

export interface SecondRun {
  /** To stand behind the nodes of the graph. */
  readonly nodes: readonly GraphNode[];
  /** Where the second run holds a tensor; the tensor itself where it does not depend on the root. */
  readonly tensor: (tensor: string) => string;
}

/**
 * The part of a graph that depends on one tensor, once more beside the first, with another value in that tensor's place.
 * @param other name of the other value
 * @throws E_GRADIENT_UNSUPPORTED where a branch or a loop reads what depends on it
 */
export function secondRun(graph: OnnxGraph, root: string, other: string): SecondRun {
  const names = new Map([[root, other]]);
  const tensor = (name: string) => names.get(name) ?? name;
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (node.outputs.includes(root) || !namesRead(node).some((name) => names.has(name))) continue;
    if (node.inputs.every((name) => !names.has(name))) {
      throw gradientUnsupported(operatorKey(node), 'its branch or body reads what differs between the two inputs', ['occlusion']);
    }
    for (const output of node.outputs) if (output !== '') names.set(output, `${other}/${output}`);
    nodes.push({ ...node, name: '', inputs: node.inputs.map(tensor), outputs: node.outputs.map(tensor) });
  }
  return { nodes, tensor };
}
