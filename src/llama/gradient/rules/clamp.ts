import { floatParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** Beyond this a bound counts as absent. */
const unbounded = 1e30;

/** Passes the gradient strictly between the bounds. */
export const clamp: OperatorRule = {
  operator: 'CLAMP',
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    const [low, high] = [floatParameter(node, 0), floatParameter(node, 1)];
    let passed = emit.contiguous(gradient);
    if (low > -unbounded) passed = emit.multiply(passed, emit.unary(emit.scale(value(x), 1, -low), 'STEP'));
    if (high < unbounded) passed = emit.multiply(passed, emit.unary(emit.scale(value(x), -1, high), 'STEP'));
    accumulate(x, passed);
  },
};
