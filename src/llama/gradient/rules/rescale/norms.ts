/**
 * Normalisations x r with r = 1 / √(mean x² + ε): a product, and inside r a mean of squares, whose difference is mean (x + x₀) Δx, under
 * a function whose difference is −r² r₀² / (r + r₀) of that. No step divides by a difference.
 */
import type { TensorHeader } from '../../../graph/tensorHeader.ts';
import type { Emitter } from '../../execution/emitter.ts';
import { floatParameter, operand } from '../../tape/tape.ts';
import { centre } from '../norm.ts';
import type { OperatorRule } from '../rule.ts';
import { rootMeanSquare } from '../rootMeanSquare.ts';

/** x / √(mean x² + ε) */
export const rmsNorm: OperatorRule = {
  operator: 'RMS_NORM',
  backward({ emit, accumulate, value, reference }, node, gradient) {
    const x = operand(node, 0);
    const rows = [emit.contiguous(value(x)), emit.contiguous(reference(x))] as const;
    accumulate(x, normBack(emit, emit.contiguous(gradient), rows, floatParameter(node, 0)));
  },
};

/** The same between two centrings, which are linear. */
export const norm: OperatorRule = {
  operator: 'NORM',
  backward({ emit, accumulate, value, reference }, node, gradient) {
    const x = operand(node, 0);
    const rows = [centre(emit, emit.contiguous(value(x))), centre(emit, emit.contiguous(reference(x)))] as const;
    accumulate(x, centre(emit, normBack(emit, emit.contiguous(gradient), rows, floatParameter(node, 0))));
  },
};

function normBack(
  emit: Emitter,
  gradient: TensorHeader,
  [x, reference]: readonly [TensorHeader, TensorHeader],
  epsilon: number,
): TensorHeader {
  const [size, referenceSize] = [rootMeanSquare(emit, x, epsilon), rootMeanSquare(emit, reference, epsilon)];
  const [sizes, product] = [emit.add(size, referenceSize), emit.multiply(size, referenceSize)];
  const sum = emit.add(x, reference);
  // r̄ = (s + s₀) / 2 s s₀ and r² r₀² / (r + r₀) = 1 / (s s₀ (s + s₀)), with s = 1 / r.
  const direct = emit.multiply(gradient, emit.scale(emit.divide(sizes, product), 0.5));
  const along = emit.divide(emit.sumRows(emit.multiply(gradient, sum)), emit.multiply(product, sizes));
  return emit.subtract(direct, emit.multiply(sum, emit.scale(along, 0.5 / x.ne[0])));
}
