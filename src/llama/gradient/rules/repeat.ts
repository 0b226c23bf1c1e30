import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

export const repeat: OperatorRule = {
  operator: 'REPEAT',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.repeatBack(emit.contiguous(gradient), value(x)));
  },
};
