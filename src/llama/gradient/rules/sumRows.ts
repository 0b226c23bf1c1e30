import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** Σ over the fastest axis. */
export const sumRows: OperatorRule = {
  operator: 'SUM_ROWS',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.repeat(emit.contiguous(gradient), value(x)));
  },
};
