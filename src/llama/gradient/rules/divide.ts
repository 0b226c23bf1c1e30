import { operand } from '../tape/tape.ts';
import { reducedTo } from './broadcast.ts';
import type { OperatorRule } from './rule.ts';

/** a / b elementwise, b repeated where it is smaller: d/da = 1/b, d/db = −(a/b)/b. */
export const divide: OperatorRule = {
  operator: 'DIV',
  backward(context, node, gradient) {
    const { emit } = context;
    const [a, b] = [operand(node, 0), operand(node, 1)];
    const quotient = emit.divide(emit.contiguous(gradient), context.value(b));
    context.accumulate(a, quotient);
    if (!context.needs(b)) return;
    context.accumulate(b, reducedTo(context, emit.scale(emit.multiply(quotient, context.value(node)), -1), b));
  },
};
