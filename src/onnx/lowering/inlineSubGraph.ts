import type { AttributeValue, GraphNode, OnnxGraph, SubGraph } from '../graph/graph.ts';

/**
 * The nodes of a branch or body with names that are free in the graph around it; its constants go into the graph. The sub-graph stays as it is, so that a body can be
 * laid out several times.
 * @param bound input of the sub-graph → the tensor of the graph that it stands for
 * @param taken names of the graph; the new ones are added
 */
export function inlineSubGraph(
  graph: OnnxGraph,
  inner: SubGraph,
  bound: ReadonlyMap<string, string>,
  taken: Set<string>,
): { readonly nodes: GraphNode[]; readonly outputs: string[] } {
  const renamed = new Map(bound);
  for (const name of [...inner.initializers.keys(), ...inner.nodes.flatMap(({ outputs }) => outputs)]) {
    if (name === '') continue;
    let free = name;
    for (let i = 1; taken.has(free); i++) free = `${name}/inner_${i}`;
    taken.add(free);
    if (free !== name) renamed.set(name, free);
  }
  const rename = (name: string) => renamed.get(name) ?? name;
  for (const [name, tensor] of inner.initializers) graph.initializers.set(rename(name), { ...tensor, name: rename(name) });
  return {
    // ONNX Runtime refuses two nodes of one name.
    nodes: inner.nodes.map((node) => ({ ...renamedNode(node, rename), name: '' })),
    outputs: inner.outputs.map(({ name }) => rename(name)),
  };
}

/** Names of a graph that a new one must differ from. */
export function namesIn(graph: OnnxGraph): Set<string> {
  return new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
}

export function identityNode(input: string, output: string): GraphNode {
  return { op: 'Identity', domain: '', name: '', inputs: [input], outputs: [output], attributes: new Map() };
}

function renamedNode(node: GraphNode, rename: (name: string) => string): GraphNode {
  const attributes = [...node.attributes].map(([key, value]): [string, AttributeValue] => [
    key,
    value.kind === 'graph' ? { kind: 'graph', value: renamedOuter(value.value, rename) } : value,
  ]);
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename), attributes: new Map(attributes) };
}

/** A sub-graph with other names for what it takes from around it, not for what it makes itself. */
function renamedOuter(graph: SubGraph, rename: (name: string) => string): SubGraph {
  const own = new Set([
    ...graph.initializers.keys(),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const outer = (name: string) => (own.has(name) ? name : rename(name));
  return {
    ...graph,
    nodes: graph.nodes.map((node) => renamedNode(node, outer)),
    outputs: graph.outputs.map((output) => ({ ...output, name: outer(output.name) })),
  };
}
