import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** √x: d/dx = 1 / (2√x) */
export const squareRoot: OperatorRule = {
  operator: 'SQRT',
  backward({ emit, accumulate, value }, node, gradient) {
    accumulate(operand(node, 0), emit.scale(emit.divide(emit.contiguous(gradient), value(node)), 0.5));
  },
};
