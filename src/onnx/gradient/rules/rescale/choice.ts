import type { GradientRule } from '../rule.ts';
import { inputOf } from '../rule.ts';

/** Where: linear as long as both runs choose alike. A guard against NaN does: neither run holds one. */
export function choice(derivative: GradientRule): GradientRule {
  return (node, gradients, context) => {
    const condition = inputOf(node, 0);
    const isGuard = context.producer(condition)?.op === 'IsNaN';
    if (!isGuard && context.reference(condition) !== condition)
      throw context.refusal('its condition depends on the input, and the two that are compared may choose differently');
    derivative(node, gradients, context);
  };
}
