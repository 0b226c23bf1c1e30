import { operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** The same elements in the same order, under other axes: RESHAPE, and copies that keep the order. */
const sameElements = (operator: string): OperatorRule => ({
  operator,
  backward({ emit, accumulate }, node, gradient) {
    const x = operand(node, 0);
    accumulate(x, emit.reshape(gradient, x.header.ne));
  },
});

export const reshape = sameElements('RESHAPE');
export const contiguousCopy = sameElements('CONT');
export const copy: OperatorRule = { ...sameElements('CPY'), refusal: (node) => notFloat(node.header.type) };
export const duplicate: OperatorRule = { ...sameElements('DUP'), refusal: (node) => notFloat(node.header.type) };

function notFloat(type: number): string | null {
  return type === 0 ? null : 'it stores its result in less than 32 bits';
}
