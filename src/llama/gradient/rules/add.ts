import { operand } from '../tape/tape.ts';
import { reducedTo } from './broadcast.ts';
import type { OperatorRule } from './rule.ts';

/** a + b, b repeated where it is smaller. */
export const add: OperatorRule = {
  operator: 'ADD',
  backward(context, node, gradient) {
    context.accumulate(operand(node, 0), gradient);
    const b = operand(node, 1);
    if (context.needs(b)) context.accumulate(b, reducedTo(context, gradient, b));
  },
};
