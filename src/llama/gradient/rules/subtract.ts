import { operand } from '../tape/tape.ts';
import { reducedTo } from './broadcast.ts';
import type { OperatorRule } from './rule.ts';

/** a − b, b repeated where it is smaller. */
export const subtract: OperatorRule = {
  operator: 'SUB',
  backward(context, node, gradient) {
    const { emit } = context;
    context.accumulate(operand(node, 0), gradient);
    const b = operand(node, 1);
    if (context.needs(b)) context.accumulate(b, reducedTo(context, emit.scale(emit.contiguous(gradient), -1), b));
  },
};
