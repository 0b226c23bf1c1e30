import { elementTypes, type GraphNode, type OnnxGraph, type SubGraph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe } from '../graph/probe.ts';
import { dataFromBytes } from '../runtime/tensorValue.ts';
import { tensorsFromData } from './fromData.ts';
import { identityNode, inlineSubGraph, namesIn } from './inlineSubGraph.ts';
import { type Known, knownValue } from './knownValue.ts';
import { sliceWeights } from './sliceWeights.ts';

/** More rounds than any model has layers or heads. */
const mostRounds = 1024;
const mostNodes = 200_000;
/** Nothing that computes masks or positions runs a body so often. */
const endlessRounds = 1_000_000;

/**
 * Replaces each Loop whose number of rounds is the same for every prompt by that many copies of its body; weights that a round takes out of a stack become weights of
 * their own. Others stay.
 * @returns how many were replaced
 */
export function unrollLoops(graph: OnnxGraph, probe: Probe | null): number {
  const known: Known = { graph, probe, fromData: probe === null ? new Set() : tensorsFromData(graph) };
  const taken = namesIn(graph);
  let unrolled = 0;
  graph.nodes = graph.nodes.flatMap((node) => {
    const rounds = roundsOf(known, node);
    if (typeof rounds !== 'number') return [node];
    unrolled += 1;
    return layOut(graph, node, rounds, taken);
  });
  if (unrolled > 0) sliceWeights(graph);
  return unrolled;
}

/** Whether a constant number of rounds, or none and a condition that stays true, keeps a loop running longer than anyone waits. */
export function neverEnds(graph: OnnxGraph, node: GraphNode): boolean {
  const body = bodyOf(node);
  if (body === null) return false;
  const known: Known = { graph, probe: null, fromData: new Set() };
  const [trips = '', condition = ''] = node.inputs;
  const begins = condition === '' ? 1 : knownValue(known, condition);
  const limit = trips === '' ? Infinity : knownValue(known, trips);
  return begins !== 0 && conditionAfter(known, body) === true && limit !== null && limit > endlessRounds;
}

/** Why a Loop stays. */
export function loopObstacle(graph: OnnxGraph, probe: Probe | null, node: GraphNode): string {
  const rounds = roundsOf({ graph, probe, fromData: tensorsFromData(graph) }, node);
  return rounds === null || typeof rounds === 'number' ? 'it is no loop with a body' : rounds;
}

/** How often the body runs, or why that cannot be told; null: this is no loop. */
function roundsOf(known: Known, node: GraphNode): number | string | null {
  const body = bodyOf(node);
  if (body === null) return null;
  const [trips = '', condition = ''] = node.inputs;
  const begins = condition === '' ? 1 : knownValue(known, condition);
  if (begins === null) return 'whether its body runs at all depends on the prompt';
  const goesOn = conditionAfter(known, body);
  if (goesOn === null) return 'a computed condition ends it';
  const limit = trips === '' ? Infinity : knownValue(known, trips);
  if (limit === null) return 'how often its body runs depends on the prompt';
  const rounds = begins === 0 ? 0 : goesOn ? Math.max(0, limit) : Math.min(1, Math.max(0, limit));
  const scans = body.outputs.length - body.inputs.length + 1;
  if (rounds === 0 && scans > 0) return 'its body never runs';
  if (!(rounds <= mostRounds) || rounds * body.nodes.length > mostNodes)
    return `its body runs more often than ${mostRounds} times or is too long`;
  return rounds;
}

/** @param node with a body [round, condition, carried…] → [condition, carried…, collected…] */
function bodyOf(node: GraphNode): SubGraph | null {
  const body = node.op === 'Loop' && node.domain === '' ? node.attributes.get('body') : undefined;
  if (body?.kind !== 'graph') return null;
  const carried = node.inputs.length - 2;
  const { inputs, outputs } = body.value;
  return carried >= 0 && inputs.length === carried + 2 && outputs.length === node.outputs.length + 1 ? body.value : null;
}

/** Whether another round follows: the same after every one. Null: that is computed. */
function conditionAfter(known: Known, body: SubGraph): boolean | null {
  let name = body.outputs[0]?.name ?? '';
  const producers = new Map(body.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (let node = producers.get(name); node?.op === 'Identity' || node?.op === 'Cast'; node = producers.get(name))
    name = node.inputs[0] ?? '';
  // The condition the round began with, which was true.
  if (name === body.inputs[1]?.name) return true;
  const own = body.initializers.get(name);
  const value = own?.bytes == null ? knownValue(known, name) : Number(dataFromBytes(own.type, own.bytes)?.[0]);
  return producers.has(name) || value === null || Number.isNaN(value) ? null : value !== 0;
}

function layOut(graph: OnnxGraph, node: GraphNode, rounds: number, taken: Set<string>): GraphNode[] {
  const body = bodyOf(node);
  if (body === null) return [node];
  const builder = new GraphBuilder(graph, `loupe/loop/${node.outputs.find((name) => name !== '') ?? ''}`);
  const nodes: GraphNode[] = [];
  const names = body.inputs.map(({ name }) => name);
  let carried = node.inputs.slice(2);
  const collected: string[][] = [];
  const going = constantOf(builder, taken, elementTypes.bool, Uint8Array.of(1));
  for (let round = 0; round < rounds; round++) {
    const bound = new Map([
      [names[0] ?? '', builder.int(round)],
      [names[1] ?? '', going],
      ...carried.map((tensor, i): [string, string] => [names[i + 2] ?? '', tensor]),
    ]);
    const inner = inlineSubGraph(graph, body, bound, taken);
    nodes.push(...inner.nodes);
    const results = inner.outputs.slice(1);
    carried = results.slice(0, carried.length);
    collected.push(results.slice(carried.length));
  }
  const stacks = (collected[0] ?? []).map((_, i) => {
    const rows = collected.map((round) => builder.unsqueeze(round[i] ?? '', [0]));
    return builder.node('Concat', rows, { axis: 0 });
  });
  nodes.push(...builder.nodes);
  const results = [...carried, ...stacks];
  return [...nodes, ...node.outputs.flatMap((output, i) => (output === '' ? [] : [identityNode(results[i] ?? '', output)]))];
}

function constantOf(builder: GraphBuilder, taken: Set<string>, type: number, bytes: Uint8Array): string {
  const name = builder.fresh('constant');
  taken.add(name);
  builder.graph.initializers.set(name, { name, dims: [], type, bytes, range: null });
  return name;
}
