import { floatParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** y = softmax(scale · x + mask): d/dx = scale · y · (g − Σ y g). Masked entries have y = 0. */
export const softmax: OperatorRule = {
  operator: 'SOFT_MAX',
  backward({ products, accumulate, value }, node, gradient) {
    accumulate(operand(node, 0), products.softmaxBack(node, value(node), gradient, floatParameter(node, 0)));
  },
};
