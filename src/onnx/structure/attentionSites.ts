import { type GraphNode, intsAttribute } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';

/** A tensor of all heads, and in which order its axes stand after the batch. */
export interface HeadTensor {
  readonly tensor: string;
  readonly layout: 'head, token, size' | 'head, size, token' | 'token, head, size';
}

export interface AttentionSites {
  /** Softmax of the scores [batch, heads, queries, keys]. */
  readonly probabilities: string;
  /** What the softmax reads: scaled and masked. */
  readonly scores: string;
  /** After rotation, before scaling; keys and values before they are repeated for grouped heads. */
  readonly q: HeadTensor | null;
  readonly k: HeadTensor | null;
  readonly v: HeadTensor | null;
  /** Per-head output before the projection, [batch, heads, tokens, size]. */
  readonly z: HeadTensor | null;
}

const beforeSoftmax: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Where',
  'Cast',
  'Tanh',
  'Identity',
  'Clip',
  'Concat',
  'Reshape',
  'Max',
  'QuantizeLinear',
  'DequantizeLinear',
]);
const behindSoftmax: ReadonlySet<string> = new Set([
  'Where',
  'Cast',
  'Identity',
  'Dropout',
  'Slice',
  'Mul',
  'Reshape',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/** The tensors around one softmax over keys. `inside`: tensors that depend on the tokens. */
export function attentionSites(flow: DataFlow, probe: Probe, softmax: GraphNode, inside: ReadonlySet<string>): AttentionSites {
  const [scores = ''] = softmax.inputs;
  const [probabilities = ''] = softmax.outputs;
  const product = back(flow, scores, inside, beforeSoftmax);
  const mixed = forward(flow, probabilities);
  const isProduct = product !== null && isMatMul(product);
  return {
    probabilities,
    scores,
    q: isProduct ? headTensor(flow, probe, unscaled(flow, product.inputs[0] ?? '', inside), false) : null,
    k: isProduct ? keys(flow, probe, product.inputs[1] ?? '', inside) : null,
    v:
      mixed === null
        ? null
        : headTensor(flow, probe, unrepeated(flow, probe, unscaled(flow, mixed.inputs[1] ?? '', inside)), false),
    z: mixed === null ? null : headTensor(flow, probe, unfolded(flow, probe, mixed.outputs[0] ?? ''), false),
  };
}

/** Follows the one input that depends on the tokens through these operators; returns the node before them. */
function back(flow: DataFlow, from: string, inside: ReadonlySet<string>, through: ReadonlySet<string>): GraphNode | null {
  let node = flow.producer(from);
  for (let steps = 0; node !== null && through.has(node.op) && steps < 20; steps++) {
    const next: string | undefined = node.inputs.find((name) => inside.has(name));
    node = next === undefined ? null : flow.producer(next);
  }
  return node;
}

/** The product of probabilities and values, past guards against rows without keys. */
function forward(flow: DataFlow, probabilities: string): GraphNode | null {
  const open = [probabilities];
  for (let steps = 0; steps < 20; steps++) {
    const name = open.shift();
    if (name === undefined) return null;
    for (const node of flow.readers(name)) {
      if (isMatMul(node) && node.inputs[0] === name) return node;
      if (behindSoftmax.has(node.op)) open.push(...node.outputs);
    }
  }
  return null;
}

function isMatMul({ op }: GraphNode): boolean {
  return op === 'MatMul' || op === 'FusedMatMul';
}

/** Before rounding, and before multiplication or division by a constant. */
function unscaled(flow: DataFlow, scaled: string, inside: ReadonlySet<string>): string {
  let name = scaled;
  for (;;) {
    const node = flow.producer(name);
    const [x = '', factor = ''] = node?.inputs ?? [];
    if (node?.op === 'QuantizeLinear' || node?.op === 'DequantizeLinear') name = x;
    else if (node?.op !== 'Mul' && node?.op !== 'Div') return name;
    else if (!inside.has(factor)) name = x;
    else if (node.op === 'Mul' && !inside.has(x)) name = factor;
    else return name;
  }
}

function keys(flow: DataFlow, probe: Probe, name: string, inside: ReadonlySet<string>): HeadTensor | null {
  const scaled = unscaled(flow, name, inside);
  const upright = beforeTurn(flow, probe, scaled);
  if (upright === null) return beforeBothTurns(flow, probe, scaled) ?? headTensor(flow, probe, scaled, true);
  return headTensor(flow, probe, unrepeated(flow, probe, unscaled(flow, upright, inside)), false);
}

/** Before the last two axes were exchanged; some exporters flatten batch and heads around it. */
function beforeTurn(flow: DataFlow, probe: Probe, name: string): string | null {
  const node = flow.producer(name);
  const isFlat = node?.op === 'Reshape';
  const turned = isFlat ? flow.producer(node.inputs[0] ?? '') : node;
  const perm = turned?.op === 'Transpose' ? intsAttribute(turned, 'perm')?.join() : undefined;
  if (perm !== '0,2,1' && (isFlat || perm !== '0,1,3,2')) return null;
  const [source = ''] = turned?.inputs ?? [];
  if (!isFlat) return source;
  const flattened = flow.producer(source);
  const [whole = ''] = flattened?.op === 'Reshape' ? flattened.inputs : [];
  return probe.facts(whole)?.dims[0].length === 4 ? whole : null;
}

/** Before heads were put first and the last two axes exchanged in one step. */
function beforeBothTurns(flow: DataFlow, probe: Probe, name: string): HeadTensor | null {
  const turned = flow.producer(name);
  const [source = ''] = turned?.inputs ?? [];
  if (turned?.op !== 'Transpose' || intsAttribute(turned, 'perm')?.join() !== '0,2,3,1') return null;
  return probe.facts(source)?.dims[0].length === 4 ? { tensor: source, layout: 'token, head, size' } : null;
}

/** Before the heads of keys and values were repeated: Unsqueeze, Expand, Reshape. */
function unrepeated(flow: DataFlow, probe: Probe, name: string): string {
  const merged = flow.producer(name);
  const repeated = merged?.op === 'Reshape' ? flow.producer(merged.inputs[0] ?? '') : null;
  const extended = repeated?.op === 'Expand' ? flow.producer(repeated.inputs[0] ?? '') : null;
  const source = extended?.op === 'Unsqueeze' || extended?.op === 'Reshape' ? extended.inputs[0] : undefined;
  return source !== undefined && probe.facts(source)?.dims[0].length === 4 ? source : name;
}

/** Some exporters multiply all heads of all sequences as one row of matrices [batch · heads, tokens, size]; before that they stand apart. */
function headTensor(flow: DataFlow, probe: Probe, tensor: string, isTurned: boolean): HeadTensor | null {
  const dims = probe.facts(tensor)?.dims[0];
  const node = flow.producer(tensor);
  const [source = ''] = dims?.length === 3 && node?.op === 'Reshape' ? node.inputs : [tensor];
  const [batch = 0, heads = 0, ...matrix] = probe.facts(source)?.dims[0] ?? [];
  if (matrix.length !== 2) return null;
  if (source !== tensor && [batch * heads, ...matrix].join() !== dims?.join()) return null;
  return { tensor: source, layout: isTurned ? 'head, size, token' : 'head, token, size' };
}

/** Behind such a row of matrices, where the heads stand apart again. */
function unfolded(flow: DataFlow, probe: Probe, tensor: string): string {
  if (probe.facts(tensor)?.dims[0].length !== 3) return tensor;
  const readers = flow.readers(tensor);
  const [reader] = readers;
  return readers.length === 1 && reader?.op === 'Reshape' ? (reader.outputs[0] ?? tensor) : tensor;
}
