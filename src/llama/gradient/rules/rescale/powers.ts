import { operand } from '../../tape/tape.ts';
import type { OperatorRule } from '../rule.ts';

/** x² − x₀² = (x + x₀) (x − x₀) */
export const square: OperatorRule = {
  operator: 'SQR',
  backward({ emit, accumulate, value, reference }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.multiply(emit.contiguous(gradient), emit.add(value(x), reference(x))));
  },
};

/** √x − √x₀ = (x − x₀) / (√x + √x₀) */
export const squareRoot: OperatorRule = {
  operator: 'SQRT',
  backward({ emit, accumulate, value, reference }, node, gradient) {
    accumulate(operand(node, 0), emit.divide(emit.contiguous(gradient), emit.add(value(node), reference(node))));
  },
};
