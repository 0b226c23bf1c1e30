/** Inside one attention block: scores, queries, keys, values, and what each head gives, found around its softmax. */
import { type GraphNode, operatorKey } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { OnnxLayout } from '../sites/onnxSite.ts';
import type { DataFlow } from './dataFlow.ts';
import { matchShape } from './shapes.ts';

/** A tensor with a vector for each head and position. */
export interface HeadTensor {
  readonly tensor: string;
  readonly layout: Extract<OnnxLayout, 'heads-first' | 'heads'>;
  readonly heads: number;
  readonly size: number;
}

export interface AttentionParts {
  /** [1, H, T, T] what the softmax takes. */
  readonly scores: string | null;
  readonly q: HeadTensor | null;
  readonly k: HeadTensor | null;
  readonly v: HeadTensor | null;
  /** Before the output projection. */
  readonly z: HeadTensor | null;
}

/** Put elements in other places, repeat them, or give them another type. */
const placements = new Set(['Reshape', 'Transpose', 'Expand', 'Unsqueeze', 'Squeeze', 'Identity', 'Cast', 'Flatten']);
/** What may stand between the product of queries and keys and the softmax. */
const onScores = new Set(['Add', 'Mul', 'Div', 'Where', 'Tanh', 'Cast', 'Identity', 'Reshape', 'Concat', 'Max', 'Clip']);
/** Between the softmax and the product with the values. */
const onPattern = new Set(['Where', 'Cast', 'Identity', 'Dropout', 'Reshape', 'Slice', 'Expand']);

export function findAttention(flow: DataFlow, probe: Probe, softmax: GraphNode, pattern: string): AttentionParts {
  const [scores = ''] = softmax.inputs;
  const product = upTo(flow, scores, onScores);
  const values = downTo(flow, pattern);
  const heads = matchShape(probe, pattern, [1, 'any', 'tokens', 'tokens'])?.[0] ?? 0;
  const operand = (node: GraphNode | null, index: number) =>
    node === null ? null : headTensor(flow, probe, node.inputs[index] ?? '');
  const [weighted = ''] = values?.node.outputs ?? [];
  const z = values === null ? null : asHeads(probe, weighted);
  return {
    scores: matchShape(probe, scores, [1, heads, 'tokens', 'tokens']) === null ? null : scores,
    q: operand(product, 0),
    k: operand(product, 1),
    v: values === null ? null : headTensor(flow, probe, values.node.inputs[1 - values.place] ?? ''),
    z: z?.heads === heads ? z : null,
  };
}

/** The matrix product that a tensor comes from. */
function upTo(flow: DataFlow, tensor: string, through: ReadonlySet<string>): GraphNode | null {
  const open = [tensor];
  const seen = new Set<string>();
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const node = flow.producers.get(name);
    if (node === undefined || seen.has(name)) continue;
    seen.add(name);
    const key = operatorKey(node);
    if (key === 'MatMul' || key === 'com.microsoft:FusedMatMul' || key === 'Einsum') return node;
    if (through.has(key)) open.push(...node.inputs);
  }
  return null;
}

/** The matrix product that takes a pattern, and at which place. */
function downTo(flow: DataFlow, pattern: string): { readonly node: GraphNode; readonly place: number } | null {
  const open = [pattern];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    for (const node of flow.consumers.get(name) ?? []) {
      const key = operatorKey(node);
      if (key === 'MatMul' || key === 'com.microsoft:FusedMatMul') return { node, place: node.inputs.indexOf(name) };
      if (onPattern.has(key)) open.push(...node.outputs);
    }
  }
  return null;
}

/**
 * The tensor nearest to the projection that still holds what a product reads: before heads were repeated or axes swapped, and before a
 * constant scale; behind the rotation of positions.
 */
function headTensor(flow: DataFlow, probe: Probe, operand: string): HeadTensor | null {
  let best = asHeads(probe, operand);
  for (let name = operand; ; ) {
    const node = flow.producers.get(name);
    if (node === undefined) return best;
    const key = operatorKey(node);
    const before = placements.has(key) ? node.inputs[0] : constantScale(probe, node);
    if (before === undefined) return best;
    best = asHeads(probe, before) ?? best;
    name = before;
  }
}

/** The scaled tensor of a product with, or a division by, one number. */
function constantScale(probe: Probe, node: GraphNode): string | undefined {
  const key = operatorKey(node);
  if (key !== 'Mul' && key !== 'Div') return undefined;
  const isNumber = (name: string) => probe.facts(name)?.dims[0].every((size) => size === 1) === true;
  const [a = '', b = ''] = node.inputs;
  if (isNumber(b)) return a;
  return key === 'Mul' && isNumber(a) ? b : undefined;
}

function asHeads(probe: Probe, tensor: string): HeadTensor | null {
  const first = matchShape(probe, tensor, [1, 'any', 'tokens', 'any']);
  if (first !== null) return { tensor, layout: 'heads-first', heads: first[0] ?? 0, size: first[1] ?? 0 };
  const second = matchShape(probe, tensor, [1, 'tokens', 'any', 'any']);
  return second === null ? null : { tensor, layout: 'heads', heads: second[0] ?? 0, size: second[1] ?? 0 };
}
