import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** Picks rows: the last block's rows whose logits are wanted, or (in three dimensions) the weights of the chosen experts. */
export const getRows: OperatorRule = {
  operator: 'GET_ROWS',
  backward(context, node, gradient) {
    const { emit, value } = context;
    const [source, rows] = [operand(node, 0), operand(node, 1)];
    if (!context.needs(source)) return;
    const upstream = emit.contiguous(gradient);
    if (node.header.ne[2] === 1 && node.header.ne[3] === 1) {
      context.accumulate(source, emit.getRowsBack(upstream, value(rows), value(source)));
      return;
    }
    // The experts of one token are all different, so that nothing has to be added up.
    const zero = emit.filledLike(emit.contiguous(value(source)), 0);
    context.accumulate(source, emit.setRows(zero, emit.reshape(upstream, node.header.ne), value(rows)));
  },
};
