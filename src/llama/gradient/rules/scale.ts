import { floatParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** factor · x + bias */
export const scale: OperatorRule = {
  operator: 'SCALE',
  backward({ emit, accumulate }, node, gradient) {
    accumulate(operand(node, 0), emit.scale(emit.contiguous(gradient), floatParameter(node, 0)));
  },
};
