import { operand } from '../../tape/tape.ts';
import { reducedTo } from '../broadcast.ts';
import type { OperatorRule } from '../rule.ts';
import { meanOf, meanValue } from './mean.ts';

/** a / b as a product of a and 1/b, whose difference is −(b − b₀) / (b b₀). */
export const divide: OperatorRule = {
  operator: 'DIV',
  backward(context, node, gradient) {
    const { emit, needs, accumulate } = context;
    const [a, b] = [operand(node, 0), operand(node, 1)];
    const [divisor, reference] = [context.value(b), context.reference(b)];
    const product = emit.multiply(divisor, reference);
    const upstream = emit.contiguous(gradient);
    if (needs(a)) accumulate(a, emit.multiply(upstream, emit.divide(meanOf(context, divisor, reference), product)));
    if (needs(b))
      accumulate(b, reducedTo(context, emit.scale(emit.divide(emit.multiply(upstream, meanValue(context, a)), product), -1), b));
  },
};
