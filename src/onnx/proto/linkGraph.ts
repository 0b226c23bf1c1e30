import type { GraphNode, SubGraph } from '../graph/graph.ts';

/**
 * Checks that every name in a graph and its sub-graphs is made once and before use, and sorts the nodes: what a node reads
 * stands before it, and otherwise the order stays.
 * @param fail makes the error from a reason
 */
export function linkGraph(graph: SubGraph, fail: (why: string) => Error, isOuter: (name: string) => boolean = () => false): void {
  const producers = producersOf(graph, fail);
  const own = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name), ...producers.keys()]);
  // Asked outwards scope by scope: a copy of all names for each of many small sub-graphs would never end.
  const isKnown = (name: string) => own.has(name) || isOuter(name);
  for (const node of graph.nodes) {
    for (const name of node.inputs) if (name !== '' && !isKnown(name)) throw fail(missing(node, name));
    for (const inner of subGraphs(node)) linkGraph(inner, fail, isKnown);
  }
  for (const { name } of graph.outputs) {
    if (!isKnown(name)) throw fail(`its output ${JSON.stringify(name.slice(0, 100))} is made by no node`);
  }
  graph.nodes = sortNodes(graph.nodes, producers, fail);
}

function missing(node: GraphNode, name: string): string {
  const reader = `${node.op} ${JSON.stringify(node.name.slice(0, 100))}`;
  return `the node ${reader} reads ${JSON.stringify(name.slice(0, 100))}, which nothing makes`;
}

function producersOf(graph: SubGraph, fail: (why: string) => Error): Map<string, GraphNode> {
  const made = new Set<string>(graph.initializers.keys());
  const make = (name: string) => {
    if (made.has(name)) throw fail(`two nodes, inputs or constants have the name ${JSON.stringify(name.slice(0, 100))}`);
    made.add(name);
  };
  for (const { name } of graph.inputs) make(name);
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) {
      if (name === '') continue;
      make(name);
      producers.set(name, node);
    }
  }
  return producers;
}

export function subGraphs(node: GraphNode): SubGraph[] {
  const inner: SubGraph[] = [];
  for (const { kind, value } of node.attributes.values()) if (kind === 'graph') inner.push(value);
  return inner;
}

/** Names a node reads: its inputs, and what its sub-graphs take from around them. */
export function namesRead(node: GraphNode): string[] {
  const names = node.inputs.filter((name) => name !== '');
  for (const { nodes, outputs } of subGraphs(node)) names.push(...nodes.flatMap(namesRead), ...outputs.map(({ name }) => name));
  return names;
}

/** Depth first, without recursion: chains of nodes are long. */
function sortNodes(
  nodes: readonly GraphNode[],
  producers: ReadonlyMap<string, GraphNode>,
  fail: (why: string) => Error,
): GraphNode[] {
  const sorted: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  for (const root of nodes) {
    if (state.has(root)) continue;
    const stack = [{ node: root, reads: namesRead(root), next: 0 }];
    state.set(root, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = top.reads[top.next++];
      if (name === undefined) {
        state.set(top.node, 'done');
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const producer = producers.get(name);
      if (producer === undefined || state.get(producer) === 'done') continue;
      if (state.has(producer)) throw fail(`its nodes form a cycle through ${JSON.stringify(name.slice(0, 100))}`);
      state.set(producer, 'open');
      stack.push({ node: producer, reads: namesRead(producer), next: 0 });
    }
  }
  return sorted;
}
