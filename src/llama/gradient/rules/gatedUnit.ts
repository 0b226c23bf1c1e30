import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { OperatorNumbers } from '../execution/emitter.ts';
import { integerParameter, operand, type TapeNode } from '../tape/tape.ts';
import { activations } from './activations.ts';
import type { BackwardContext, OperatorRule } from './rule.ts';

const activationOf: Readonly<Record<string, string>> = {
  REGLU: 'RELU',
  GEGLU: 'GELU',
  SWIGLU: 'SILU',
  GEGLU_ERF: 'GELU_ERF',
  GEGLU_QUICK: 'GELU_QUICK',
};

/**
 * Gradients of f(gate) · value by both, given that of the product; all of one shape.
 * @param operands gate and value, of which values of the operator's operands are read through `context.value` or `context.reference`
 */
type GatedBackward = (
  context: BackwardContext,
  activation: string,
  operands: (read: BackwardContext['value']) => readonly [gate: TensorHeader, value: TensorHeader],
  upstream: TensorHeader,
) => GatedGradients;

/** f(x) · y with x the gate: two operands, or the halves of one (swapped: y first). Shazeer 2020, arXiv 2002.05202. */
export const gatedRule = (back: GatedBackward): OperatorRule => ({
  operator: 'GLU',
  refusal(node, numbers) {
    const name = nameOf(node, numbers);
    return name in activationOf ? null : `the gated unit ${name} has no derivative here`;
  },
  backward(context, node, gradient) {
    const { emit, accumulate } = context;
    const activation = activationOf[nameOf(node, emit.numbers)] ?? '';
    const upstream = emit.contiguous(gradient);
    const [joined, second = null] = [operand(node, 0), node.sources[1]];
    const swapped = integerParameter(node, 1) !== 0;
    const operands = (read: BackwardContext['value']) => {
      if (second !== null) return [read(joined), read(second)] as const;
      const [width] = node.header.ne;
      const both = read(joined);
      return [halfOf(context, both, width, swapped ? 1 : 0), halfOf(context, both, width, swapped ? 0 : 1)] as const;
    };
    const [toGate, toValue] = back(context, activation, operands, upstream);
    if (second === null) {
      accumulate(joined, swapped ? emit.concatenate(toValue, toGate, 0) : emit.concatenate(toGate, toValue, 0));
    } else {
      accumulate(joined, toGate);
      accumulate(second, toValue);
    }
  },
});

/** d/dx = g y f′(x), d/dy = g f(x). */
export const gatedUnit = gatedRule((context, activation, operands, upstream) => {
  const [gate, value] = operands(context.value);
  const fused = context.products.gatedBack(activation, gate, value, upstream);
  return fused ?? plainBack(context, activation, gate, value, upstream);
});

type GatedGradients = readonly [gate: TensorHeader, value: TensorHeader];

function plainBack(
  { emit }: BackwardContext,
  activation: string,
  gate: TensorHeader,
  value: TensorHeader,
  upstream: TensorHeader,
): GatedGradients {
  const x = emit.contiguous(gate);
  const y = emit.contiguous(value);
  const activated = emit.unary(x, activation);
  if (activation === 'SILU') return siluBack(emit, x, y, activated, upstream);
  const derivative = activations[activation];
  if (derivative === undefined) throw new Error(`no derivative of ${activation}`);
  return [
    derivative.backward(
      emit,
      emit.multiply(upstream, y),
      () => x,
      () => activated,
    ),
    emit.multiply(activated, upstream),
  ];
}

/** ggml's own derivative of SiLU takes one scalar exponential after the other; its forward is vectorised, so σ(x) = silu(x)/x is used. */
function siluBack(
  emit: BackwardContext['emit'],
  x: TensorHeader,
  y: TensorHeader,
  activated: TensorHeader,
  upstream: TensorHeader,
): GatedGradients {
  const nonZero = emit.scale(x, 1, 1e-30);
  const sigmoid = emit.divide(emit.unary(nonZero, 'SILU'), nonZero);
  const slope = emit.add(emit.multiply(activated, emit.scale(sigmoid, -1, 1)), sigmoid);
  return [emit.multiply(slope, emit.multiply(upstream, y)), emit.multiply(activated, upstream)];
}

function halfOf({ emit }: BackwardContext, joined: TensorHeader, width: number, index: number): TensorHeader {
  const { ne, nb } = joined;
  return emit.view(joined, [width, ne[1], ne[2], ne[3]], [nb[1], nb[2], nb[3]], index * width * 4);
}

function nameOf(node: TapeNode, { gated }: OperatorNumbers): string {
  const number = integerParameter(node, 0);
  return [...gated].find(([, candidate]) => candidate === number)?.[0] ?? `number ${number}`;
}
