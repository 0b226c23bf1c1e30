import type { GraphNode, OnnxGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { namesRead, subGraphs } from '../proto/linkGraph.ts';
import { filledData } from '../runtime/tensorValue.ts';
import { tensorsFromData } from './fromData.ts';
import { handedOn, sameDims } from './noOperation.ts';
import { makeShapeStatic } from './staticShape.ts';

export interface Simplified {
  /** Nodes replaced by constants, nodes that did nothing, shapes made constant, nodes nobody needs. */
  readonly folded: number;
  readonly removed: number;
  readonly shaped: number;
  readonly dead: number;
}

/**
 * Makes a graph smaller, in place, by what two probe runs at different lengths showed: small tensors that depend neither on the content of the inputs nor on their length
 * become constants, nodes that hand on their input disappear, and shapes that were computed become constants. Outputs keep their names and, for every
 * prompt length, their values. Batch 1 is taken for granted.
 */
export function simplify(graph: OnnxGraph, probe: Probe): Simplified {
  const builder = new GraphBuilder(graph, 'loupe/simplified');
  const fromData = tensorsFromData(graph);
  const kept = new Set(graph.outputs.map(({ name }) => name));
  const aliases = new Map<string, string>();
  const counts = { folded: 0, removed: 0, shaped: 0, dead: 0 };
  const nodes: GraphNode[] = [];
  // Names inside sub-graphs are not rewired, so what they take from outside stays as it is.
  for (const node of graph.nodes)
    for (const inner of subGraphs(node)) for (const name of inner.nodes.flatMap(namesRead)) kept.add(name);
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((name) => aliases.get(name) ?? name);
    const [output = ''] = node.outputs;
    const isFree = node.outputs.filter((name) => name !== '').length === 1 && !kept.has(output);
    if (isFree && !fromData.has(output) && foldInto(graph, output, probe.facts(output))) {
      counts.folded += 1;
      continue;
    }
    const source = isFree ? handedOn(node, probe) : null;
    if (source !== null) {
      aliases.set(output, source);
      counts.removed += 1;
      continue;
    }
    if (makeShapeStatic(node, probe, builder)) counts.shaped += 1;
    nodes.push(node);
  }
  graph.nodes = living(nodes, kept);
  counts.dead = nodes.length - graph.nodes.length;
  return counts;
}

function foldInto(graph: OnnxGraph, name: string, facts: TensorFacts | undefined): boolean {
  if (facts === undefined || facts.values === null || !sameDims(facts.dims[0], facts.dims[1])) return false;
  const [first, second] = facts.values;
  if (!first.every((value, i) => Object.is(value, second[i]))) return false;
  const data = filledData(facts.type, first.length, (i) => first[i] ?? 0);
  if (data === null) return false;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  graph.initializers.set(name, { name, dims: facts.dims[0], type: facts.type, bytes, range: null });
  return true;
}

function living(nodes: readonly GraphNode[], outputs: ReadonlySet<string>): GraphNode[] {
  const read = new Set(outputs);
  const alive: GraphNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => read.has(name))) continue;
    for (const name of namesRead(node)) read.add(name);
    alive.push(node);
  }
  return alive.reverse();
}
