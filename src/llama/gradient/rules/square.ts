import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** x² */
export const square: OperatorRule = {
  operator: 'SQR',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.scale(emit.multiply(emit.contiguous(gradient), value(x)), 2));
  },
};
