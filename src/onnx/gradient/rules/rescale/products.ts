import type { GradientRule } from '../rule.ts';
import { inputOf } from '../rule.ts';

/** ab − a₀b₀ = b̄ (a − a₀) + ā (b − b₀): the derivative at the mean of both runs. */
export function atMean(derivative: GradientRule): GradientRule {
  return (node, gradients, context) => {
    derivative({ ...node, inputs: node.inputs.map((input) => context.mean(input)) }, gradients, context);
  };
}

/** Rounded activations times rounded weights: linear. */
export function integerProduct(derivative: GradientRule): GradientRule {
  return (node, gradients, context) => {
    if (context.varies(inputOf(node, 0)) && context.varies(inputOf(node, 1)))
      throw context.refusal('both of its operands are rounded activations, whose scales differ between the two inputs');
    derivative(node, gradients, context);
  };
}
