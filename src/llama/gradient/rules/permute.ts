import type { Shape } from '../execution/emitter.ts';
import { integerParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

export const permute: OperatorRule = {
  operator: 'PERMUTE',
  backward({ emit, accumulate }, node, gradient) {
    const inverse = [0, 0, 0, 0];
    for (let axis = 0; axis < 4; axis++) inverse[integerParameter(node, axis)] = axis;
    accumulate(operand(node, 0), emit.permute(gradient, inverse as unknown as Shape));
  },
};

export const transpose: OperatorRule = {
  operator: 'TRANSPOSE',
  backward({ emit, accumulate }, node, gradient) {
    accumulate(operand(node, 0), emit.transpose(gradient));
  },
};
