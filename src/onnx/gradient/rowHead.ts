import { elementTypes, type GraphNode, intAttribute, type OnnxGraph, operatorKey } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../graph/probe.ts';
import { descendants } from './activity.ts';
import { unaryRules } from './rules/unary.ts';

/** Operators that, on a [1, T, …] tensor with all else fixed, treat every position by itself. */
const rowWise: ReadonlySet<string> = new Set([
  ...Object.keys(unaryRules),
  'Identity',
  'Cast',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Clip',
  'ReduceMean',
  'ReduceSum',
  'LayerNormalization',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'MatMul',
  'com.microsoft:FusedMatMul',
  'com.microsoft:MatMulNBits',
]);

export interface RowHead {
  /** New input of the graph: [R] int64, rows that are wanted. */
  readonly positions: string;
  /** [1, R, V]: logits at these rows. */
  readonly logits: string;
  /** Knows the new tensors as well. */
  readonly probe: Probe;
}

/**
 * Adds a second unembedding that reads only chosen rows of the hidden states: [1, R, V] logits instead of [1, T, V]. A gradient seeded
 * there multiplies R rows with the unembedding, not T, and keeps no logits of other rows in memory.
 *
 * @param hidden [1, T, D] before the unembedding; the final norm may lie between
 * @returns null when something between the two mixes positions, or is not known to leave them apart: then the logits themselves are to
 * be seeded
 */
export function addRowHead(
  graph: OnnxGraph,
  probe: Probe,
  builder: GraphBuilder,
  { hidden, logits }: { readonly hidden: string; readonly logits: string },
): RowHead | null {
  const path = pathBetween(graph, probe, hidden, logits);
  if (path === null || !isByPosition(probe.facts(hidden), probe)) return null;
  // Any number of rows: sizes that differ between the runs, and are no prompt length.
  const rows = [probe.lengths[0] + 1, probe.lengths[1] + 2] as const;
  const facts = new Map<string, TensorFacts>();
  const renamed = new Map<string, string>();
  const rename = (tensor: string) => {
    const name = builder.fresh('rows');
    renamed.set(tensor, name);
    const known = probe.facts(tensor);
    if (known !== undefined) {
      const [first, second] = known.dims;
      facts.set(name, { type: known.type, dims: [first.with(1, rows[0]), second.with(1, rows[1])], values: null });
    }
    return name;
  };

  const positions = builder.fresh('positions');
  facts.set(positions, { type: elementTypes.int64, dims: [[rows[0]], [rows[1]]], values: null });
  graph.inputs = [...graph.inputs, { name: positions, type: elementTypes.int64, dims: [`${positions}_count`] }];
  const taken: GraphNode = {
    op: 'Gather',
    domain: '',
    name: '',
    inputs: [hidden, positions],
    outputs: [rename(hidden)],
    attributes: new Map([['axis', { kind: 'int', value: 1 }]]),
  };
  const copies = path.map((node): GraphNode => {
    const inputs = node.inputs.map((input) => renamed.get(input) ?? input);
    return { ...node, inputs, outputs: node.outputs.map((output) => (output === '' ? '' : rename(output))) };
  });
  graph.nodes.push(taken, ...copies);
  return {
    positions,
    logits: renamed.get(logits) ?? '',
    probe: { lengths: probe.lengths, facts: (tensor) => facts.get(tensor) ?? probe.facts(tensor) },
  };
}

/** Nodes on the way, in order; null when there is none, or one that may not be on it. */
function pathBetween(graph: OnnxGraph, probe: Probe, hidden: string, logits: string): GraphNode[] | null {
  const below = descendants(graph, probe, [hidden]);
  const needed = new Set([logits]);
  const path: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output)) || !node.inputs.some((input) => below.has(input))) continue;
    if (node.outputs.includes(hidden)) continue;
    path.unshift(node);
    if (!keepsPositionsApart(node, below, probe)) return null;
    for (const input of node.inputs) if (below.has(input) && input !== hidden) needed.add(input);
  }
  return path.length === 0 ? null : path;
}

function keepsPositionsApart(node: GraphNode, below: ReadonlySet<string>, probe: Probe): boolean {
  const key = operatorKey(node);
  if (!rowWise.has(key) || !node.outputs.every((output) => output === '' || isByPosition(probe.facts(output), probe)))
    return false;
  const isProduct = key.endsWith('MatMul') || key.endsWith('MatMulNBits');
  if (isProduct && (node.inputs.slice(1).some((input) => below.has(input)) || intAttribute(node, 'transA', 0) === 1))
    return false;
  return node.inputs.every((input) => input === '' || below.has(input) || isFixed(probe.facts(input)));
}

/** [1, T, anything fixed] */
function isByPosition(facts: TensorFacts | undefined, { lengths }: Probe): boolean {
  if (facts?.dims[0].length !== 3) return false;
  const [first, second] = facts.dims;
  return first[0] === 1 && second[0] === 1 && first[1] === lengths[0] && second[1] === lengths[1] && first[2] === second[2];
}

function isFixed(facts: TensorFacts | undefined): boolean {
  return facts !== undefined && facts.dims[0].join() === facts.dims[1].join();
}
