/** Sums, differences, products and quotients, broadcast as NumPy does: a gradient is summed where its operand was repeated. */
import { type GraphNode } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';

/** Adds a gradient in the shape of the output to the gradient of an operand that was broadcast to it. */
export function addBroadcast(context: RuleContext, node: GraphNode, operand: string, gradient: () => string): void {
  context.add(operand, () => context.shapes.sumTo(gradient(), context.shapes.dims(outputOf(node)), operand));
}

/** Add, and Sum of any number. */
export const add = ofFirstOutput((node, gradient, context) => {
  for (const operand of node.inputs) addBroadcast(context, node, operand, () => gradient);
});

export const mean = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  for (const operand of node.inputs) {
    addBroadcast(context, node, operand, () => builder.multiply(gradient, builder.number(1 / node.inputs.length)));
  }
});

export const subtract = ofFirstOutput((node, gradient, context) => {
  addBroadcast(context, node, inputOf(node, 0), () => gradient);
  addBroadcast(context, node, inputOf(node, 1), () => context.builder.node('Neg', [gradient]));
});

export const multiply = ofFirstOutput((node, gradient, context) => {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (isSigmoidOf(context, b, a)) return addSwish(node, gradient, a, b, context);
  if (isSigmoidOf(context, a, b)) return addSwish(node, gradient, b, a, context);
  addBroadcast(context, node, a, () => context.builder.multiply(gradient, b));
  addBroadcast(context, node, b, () => context.builder.multiply(gradient, a));
});

/** x σ(x), as exporters spell SiLU. */
function isSigmoidOf({ producer }: RuleContext, sigmoid: string, x: string): boolean {
  const node = producer(sigmoid);
  return node !== undefined && node.op === 'Sigmoid' && inputOf(node, 0) === x;
}

/** y = x s with s = σ(x): dx = g s + y (g − g s). One rule for both nodes keeps s and y only, not x. */
function addSwish(node: GraphNode, gradient: string, x: string, sigmoid: string, { builder, add }: RuleContext): void {
  add(x, () => {
    const through = builder.multiply(gradient, sigmoid);
    return builder.add(through, builder.multiply(outputOf(node), builder.subtract(gradient, through)));
  });
}

/** y = a / b: dy/db = −y / b */
export const divide = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  addBroadcast(context, node, a, () => builder.divide(gradient, b));
  addBroadcast(context, node, b, () => {
    return builder.node('Neg', [builder.divide(builder.multiply(gradient, outputOf(node)), b)]);
  });
});
