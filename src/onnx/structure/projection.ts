import type { GraphNode } from '../graph/graph.ts';
import type { Probe } from '../graph/probe.ts';
import type { DataFlow } from './dataFlow.ts';

/** Steps that stand between a projection and the residual connection its result is added in. */
const afterwards: ReadonlySet<string> = new Set([
  'Add',
  'Cast',
  'Identity',
  'QuantizeLinear',
  'DequantizeLinear',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Mul',
  'Div',
  'Sub',
  'LayerNormalization',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
]);

/**
 * What the projection that made a branch reads: for a feed-forward block its neurons. Walks back over biases, casts and norms to the first product with weights.
 * @param inside tensors that depend on the tokens
 * @returns [batch, tokens, width]; null when there is no such product
 */
export function projectionInput(flow: DataFlow, probe: Probe, branch: string, inside: ReadonlySet<string>): string | null {
  let name = branch;
  for (let steps = 0; steps < 40; steps++) {
    const node = flow.producer(name);
    if (node === null) return null;
    const read = activation(flow, node, inside);
    if (read !== null) return unfolded(flow, probe, read);
    if (!afterwards.has(node.op)) return null;
    // What has one number a token is the mean or the scale of a norm.
    const next = node.inputs.filter((input) => inside.has(input) && probe.facts(input)?.dims[0].at(-1) !== 1);
    // The scales of a quantised product are multiplied in: the product is what a Cast made of whole numbers.
    const product = next.length === 1 ? next[0] : next.find((input) => flow.producer(input)?.op === 'Cast');
    if (product === undefined) return null;
    name = product;
  }
  return null;
}

/** How many products with weights stand between some tensors and a branch that is computed from them. */
export function projectionsBetween(
  flow: DataFlow,
  from: ReadonlySet<string>,
  branch: string,
  inside: ReadonlySet<string>,
): number {
  const makers = [...flow.before(branch)].map((name) => (from.has(name) ? flow.producer(name) : null));
  return new Set(makers.filter((node) => node !== null && activation(flow, node, inside) !== null)).size;
}

/** The input of a product with weights that depends on the tokens. */
function activation(flow: DataFlow, node: GraphNode, inside: ReadonlySet<string>): string | null {
  const [x = '', weights = ''] = node.inputs;
  if (!['MatMul', 'Gemm', 'MatMulNBits', 'FusedMatMul', 'MatMulInteger'].includes(node.op) || inside.has(weights)) return null;
  return node.op === 'MatMulInteger' ? (flow.producer(x)?.inputs[0] ?? null) : x;
}

/** Gemm reads [tokens, width]; the tensor before it was flattened. */
function unfolded(flow: DataFlow, probe: Probe, tensor: string): string {
  const node = flow.producer(tensor);
  const isFlat = probe.facts(tensor)?.dims[0].length === 2;
  return isFlat && node?.op === 'Reshape' ? (node.inputs[0] ?? tensor) : tensor;
}
