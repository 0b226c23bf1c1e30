import type { OperatorNumbers } from '../../execution/emitter.ts';
import { operand, type TapeNode } from '../../tape/tape.ts';
import type { OperatorRule } from '../rule.ts';
import { nameOf } from '../unary.ts';
import { identityRule } from './identity.ts';

/** Functions with f(0) = 0. What another one makes of nothing belongs to no input. */
const throughZero = new Set(['NEG', 'RELU', 'TANH', 'SILU', 'GELU', 'GELU_ERF', 'GELU_QUICK']);

/** A function of single elements. */
const elementwise = (operator: string): OperatorRule => ({
  operator,
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, identityRule(emit, emit.contiguous(gradient), emit.contiguous(value(x)), value(node)));
  },
});

export const unary: OperatorRule = {
  ...elementwise('UNARY'),
  refusal(node: TapeNode, numbers: OperatorNumbers) {
    const name = nameOf(node, numbers);
    return throughZero.has(name) ? null : `the activation ${name} has no relevance rule`;
  },
};
export const square = elementwise('SQR');
export const squareRoot = elementwise('SQRT');
