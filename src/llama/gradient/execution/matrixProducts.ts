/** How the products of a graph, and what stands around them, are computed: with ggml's operators, or with our own kernel. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { BackwardContext } from '../rules/rule.ts';
import type { TapeNode, TapeTensor } from '../tape/tape.ts';

export interface MatrixProducts {
  /** What stands in for a MUL_MAT or MUL_MAT_ID of the forward pass; null: the operator as llama.cpp runs it. */
  forward(node: TapeNode, value: (tensor: TapeTensor) => TensorHeader): TensorHeader | null;
  /** d / d a of aᵀ b: [k, m]. */
  toFirst(context: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader;
  /** d / d b of aᵀ b: [k, n]. */
  toSecond(context: BackwardContext, node: TapeNode, gradient: TensorHeader): TensorHeader;
  /** A weight in F32, transposed: [m, k, experts]. */
  transposed(weight: TapeTensor): TensorHeader;
  /** scale · y · (g − Σ y g) */
  softmaxBack(node: TapeNode, y: TensorHeader, gradient: TensorHeader, scale: number): TensorHeader;
  /** Gradients of f(gate) · value, or null when there is no fused form. */
  gatedBack(
    activation: string,
    gate: TensorHeader,
    value: TensorHeader,
    gradient: TensorHeader,
  ): readonly [gate: TensorHeader, value: TensorHeader] | null;
}
