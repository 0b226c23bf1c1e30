import { operand } from '../tape/tape.ts';
import { reducedTo } from './broadcast.ts';
import type { OperatorRule } from './rule.ts';

/** a · b elementwise, b repeated where it is smaller. */
export const multiply: OperatorRule = {
  operator: 'MUL',
  backward(context, node, gradient) {
    const { emit } = context;
    const [a, b] = [operand(node, 0), operand(node, 1)];
    const upstream = emit.contiguous(gradient);
    if (context.needs(a)) context.accumulate(a, emit.multiply(upstream, context.value(b)));
    if (context.needs(b)) context.accumulate(b, reducedTo(context, emit.multiply(upstream, context.value(a)), b));
  },
};
