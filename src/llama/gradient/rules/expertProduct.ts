import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/**
 * Mixture of experts: for each token the products with the weights of the experts chosen for it; the choice is not differentiated.
 * Weights [k, m, experts], x [k, 1 or used, T], ids [used, T] → [m, used, T].
 */
export const expertProduct: OperatorRule = {
  operator: 'MUL_MAT_ID',
  refusal: (node) => (node.sources[0]?.kind === 'weight' ? null : 'its matrices are not weights'),
  backward(context, node, gradient) {
    const { emit, products, value } = context;
    const [weights, x, ids] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    if (!context.needs(x)) return;
    const back = emit.productById(products.transposed(weights), emit.contiguous(gradient), value(ids)); // [k, used, T]
    const shared = x.header.ne[1] === 1 && node.header.ne[1] > 1;
    context.accumulate(x, shared ? emit.repeatBack(back, value(x)) : back);
  },
};
