import { type GradientRule, inputOf, type RuleContext } from '../rule.ts';
import type { GraphNode } from '../../../graph/graph.ts';

export function isBilinear(node: GraphNode, { varies }: RuleContext): boolean {
  return varies(inputOf(node, 0)) && varies(inputOf(node, 1));
}

/**
 * Two activations share the relevance of their product equally; with a weight it is a linear map and keeps its derivative. So
 * attention's values get 1/2, queries and keys 1/4 each of what a gradient would give.
 */
export function shared(derivative: GradientRule): GradientRule {
  return (node, gradients, context) => {
    const { builder } = context;
    const halved = isBilinear(node, context)
      ? gradients.map((gradient) => (gradient === null ? null : builder.multiply(gradient, builder.number(0.5))))
      : gradients;
    derivative(node, halved, context);
  };
}
