import type { OperatorNumbers } from '../execution/emitter.ts';
import { integerParameter, operand, type TapeNode } from '../tape/tape.ts';
import { activations } from './activations.ts';
import type { OperatorRule } from './rule.ts';

/** An activation function applied to every element. */
export const unary: OperatorRule = {
  operator: 'UNARY',
  refusal(node, numbers) {
    const name = nameOf(node, numbers);
    return Object.hasOwn(activations, name) ? null : `the activation ${name} has no derivative here`;
  },
  backward({ emit, accumulate, value }, node, gradient) {
    const x = operand(node, 0);
    const activation = activations[nameOf(node, emit.numbers)];
    if (activation === undefined) throw new Error(`no derivative of ${nameOf(node, emit.numbers)}`);
    const [input, output] = [() => emit.contiguous(value(x)), () => value(node)];
    accumulate(x, activation.backward(emit, emit.contiguous(gradient), input, output));
  },
};

/** The activation a node applies. */
export function nameOf(node: TapeNode, { unary: numbers }: OperatorNumbers): string {
  const number = integerParameter(node, 0);
  return [...numbers].find(([, candidate]) => candidate === number)?.[0] ?? `number ${number}`;
}
