import type { GraphNode, OnnxGraph, SubGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { tensorsFromData } from './fromData.ts';
import { identityNode, inlineSubGraph, namesIn } from './inlineSubGraph.ts';
import { type Known, knownValue } from './knownValue.ts';

/**
 * Replaces each If whose condition is a constant, or depends on shapes alone and was the same in both probe runs, by the nodes of the branch it takes.
 * @returns how many were replaced
 */
export function inlineBranches(graph: OnnxGraph, probe: Probe | null): number {
  let inlined = 0;
  const known: Known = { graph, probe, fromData: probe === null ? new Set() : tensorsFromData(graph) };
  const taken = namesIn(graph);
  graph.nodes = graph.nodes.flatMap((node) => {
    const branch = node.op === 'If' && node.domain === '' ? chosenBranch(known, node) : null;
    if (branch === null) return [node];
    inlined += 1;
    const { nodes, outputs } = inlineSubGraph(graph, branch, new Map(), taken);
    return [...nodes, ...node.outputs.flatMap((output, i) => (output === '' ? [] : [identityNode(outputs[i] ?? '', output)]))];
  });
  return inlined;
}

function chosenBranch(known: Known, node: GraphNode): SubGraph | null {
  const condition = knownValue(known, node.inputs[0] ?? '');
  if (condition === null) return null;
  const branch = node.attributes.get(condition === 0 ? 'else_branch' : 'then_branch');
  return branch?.kind === 'graph' ? branch.value : null;
}
