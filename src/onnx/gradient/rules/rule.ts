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
  /** Adds to the gradient of a tensor. Where it is of no use, nothing is written. */
  readonly add: (tensor: string, gradient: () => string) => void;
  /** Something several nodes share, written once: a dequantised weight. */
  readonly once: (key: string, make: () => string) => string;
  /** E_GRADIENT_UNSUPPORTED that names the node at hand. */
  readonly refusal: (why: string) => LoupeError;
  /** Whether a tensor depends on the roots in a way that has a derivative: an activation, no weight, position or scale of a rounding. */
  readonly varies: (tensor: string) => boolean;
  /** The node that makes a tensor; undefined for inputs, weights, and for what a function may not be followed beyond: what is asked for. */
  readonly producer: (tensor: string) => GraphNode | undefined;
  /** The tensor of the run on the reference input, where there is one; the same name where both runs share it. */
  readonly reference: (tensor: string) => string;
  /** (x + x₀) / 2 of both runs, to be read wherever x is: `add` and `isActive` know it as x. */
  readonly mean: (tensor: string) => string;
  /** Makes a new tensor known in an old one's place: of the same type and shape, and `add` and `isActive` mean the old one. */
  readonly standIn: (name: string, tensor: string) => string;
}

/** Rules by `operatorKey`. */
export type RuleTable = ReadonlyMap<string, GradientRule>;

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
