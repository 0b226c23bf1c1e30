/** What the derivative of an operator is. One file an operator, or a family of them; `rules.ts` lists them. */
import type { LoupeError } from '../../../shared/errors.ts';
import type { GraphBuilder } from '../../graph/graphBuilder.ts';
import type { GraphNode } from '../../graph/graph.ts';
import type { Shapes } from '../shapes.ts';

/** What a rule works with while the backward graph is written. */
export interface RuleContext {
  /** Takes the new nodes. Gradients are float32, whatever the type of their tensor. */
  readonly builder: GraphBuilder;
  readonly shapes: Shapes;
  /** Whether something that is asked for has an influence on this tensor: only then its gradient is of use. */
  readonly isActive: (tensor: string) => boolean;
  /** The node that makes a tensor; null for one that no node makes or whose gradient is asked for, so that no rule may pass it over. */
  readonly innerNode: (tensor: string) => GraphNode | null;
  /** Adds to the gradient of a tensor. Where it is of no use, nothing is written. */
  readonly add: (tensor: string, gradient: () => string) => void;
  /** Something several nodes share, written once: a dequantised weight. */
  readonly once: (key: string, make: () => string) => string;
  /** E_GRADIENT_UNSUPPORTED that names the node at hand. */
  readonly refusal: (why: string) => LoupeError;
}

/**
 * Writes d target / d input for each active input.
 * @param gradients d target / d output, by output; null where the target does not depend on it
 */
export type GradientRule = (node: GraphNode, gradients: readonly (string | null)[], context: RuleContext) => void;

/** A rule for operators whose first output alone has a derivative. */
export function ofFirstOutput(rule: (node: GraphNode, gradient: string, context: RuleContext) => void): GradientRule {
  return (node, gradients, context) => {
    const [gradient = null, ...others] = gradients;
    if (others.some((other) => other !== null))
      throw context.refusal('its further outputs are used, and have no derivative here');
    if (gradient !== null) rule(node, gradient, context);
  };
}

/** Name of an input; '' where it is left out. */
export function inputOf(node: GraphNode, index: number): string {
  return node.inputs[index] ?? '';
}

export function outputOf(node: GraphNode): string {
  return node.outputs[0] ?? '';
}
