import { operand } from '../../tape/tape.ts';
import type { OperatorRule } from '../rule.ts';

/** a / b with b taken as a constant: it normalises. */
export const divide: OperatorRule = {
  operator: 'DIV',
  backward({ emit, needs, accumulate, value }, node, gradient) {
    const [a, b] = [operand(node, 0), operand(node, 1)];
    if (needs(a)) accumulate(a, emit.divide(emit.contiguous(gradient), value(b)));
  },
};
