import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** [m, n] = aᵀ b with a [k, m] a weight or an activation, b [k, n]. How it is computed: `execution/matrixProducts.ts`. */
export const matrixProduct: OperatorRule = {
  operator: 'MUL_MAT',
  backward(context, node, gradient) {
    const [a, b] = [operand(node, 0), operand(node, 1)];
    if (context.needs(b)) context.accumulate(b, context.products.toSecond(context, node, gradient));
    if (context.needs(a)) context.accumulate(a, context.products.toFirst(context, node, gradient));
  },
};
