import type { GraphNode, OnnxGraph, SubGraph } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import { tensorsFromData } from './fromData.ts';
import { subGraphs } from '../proto/linkGraph.ts';

/** Enough for any nesting a file may have. */
const roundLimit = 20;

/**
 * Replaces each If whose condition is a constant, or depends on shapes alone and was the same in both probe runs, by the nodes of the branch it takes.
 * @returns how many were replaced
 */
export function inlineBranches(graph: OnnxGraph, probe: Probe | null): number {
  let inlined = 0;
  const fromData = probe === null ? new Set<string>() : tensorsFromData(graph);
  for (let round = 0; round < roundLimit; round++) {
    const before = inlined;
    const nodes: GraphNode[] = [];
    const taken = namesIn(graph);
    for (const node of graph.nodes) {
      const branch =
        node.op === 'If' && node.domain === ''
          ? chosenBranch(graph, fromData.has(node.inputs[0] ?? '') ? null : probe, node)
          : null;
      if (branch === null) {
        nodes.push(node);
        continue;
      }
      nodes.push(...branchNodes(graph, node, branch, taken));
      inlined += 1;
    }
    graph.nodes = nodes;
    if (inlined === before) break;
  }
  return inlined;
}

function chosenBranch(graph: OnnxGraph, probe: Probe | null, node: GraphNode): SubGraph | null {
  const condition = conditionValue(graph, probe, node.inputs[0] ?? '');
  if (condition === null) return null;
  const branch = node.attributes.get(condition ? 'then_branch' : 'else_branch');
  return branch?.kind === 'graph' ? branch.value : null;
}

function conditionValue(graph: OnnxGraph, probe: Probe | null, name: string): boolean | null {
  const constant = graph.initializers.get(name);
  if (constant?.bytes?.length === 1) return constant.bytes[0] !== 0;
  const values = probe?.facts(name)?.values;
  if (values === undefined || values === null) return null;
  const [first, second] = values;
  return first.length === 1 && first[0] === second[0] ? first[0] !== 0 : null;
}

/** The nodes of a branch with names that are free in the graph, and its outputs under the names of the If. */
function branchNodes(graph: OnnxGraph, node: GraphNode, branch: SubGraph, taken: Set<string>): GraphNode[] {
  const renamed = new Map<string, string>();
  const own = [...branch.initializers.keys(), ...branch.nodes.flatMap(({ outputs }) => outputs)];
  for (const name of own) {
    if (name === '') continue;
    let free = name;
    for (let i = 1; taken.has(free); i++) free = `${name}/branch_${i}`;
    taken.add(free);
    if (free !== name) renamed.set(name, free);
  }
  const rename = (name: string) => renamed.get(name) ?? name;
  for (const [name, tensor] of branch.initializers) graph.initializers.set(rename(name), { ...tensor, name: rename(name) });
  const inner = branch.nodes.map((part) => renameNode(part, rename));
  const outputs = node.outputs.map((output, i): GraphNode => {
    const source = rename(branch.outputs[i]?.name ?? '');
    return { op: 'Identity', domain: '', name: '', inputs: [source], outputs: [output], attributes: new Map() };
  });
  return [...inner, ...outputs.filter(({ outputs: [name] }) => name !== '')];
}

function renameNode(node: GraphNode, rename: (name: string) => string): GraphNode {
  for (const inner of subGraphs(node)) renameOuter(inner, rename);
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
}

/** Renames what a sub-graph takes from around it, not what it makes itself. */
function renameOuter(graph: SubGraph, rename: (name: string) => string): void {
  const own = new Set([
    ...graph.initializers.keys(),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const outer = (name: string) => (own.has(name) ? name : rename(name));
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(outer);
    for (const inner of subGraphs(node)) renameOuter(inner, outer);
  }
  graph.outputs = graph.outputs.map((output) => ({ ...output, name: outer(output.name) }));
}

function namesIn(graph: OnnxGraph): Set<string> {
  return new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
}
