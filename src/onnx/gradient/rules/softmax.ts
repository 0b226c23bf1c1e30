import { type GraphNode, intAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';

/** Axes that are normalised together: one since opset 13, all from the given one to the last before. */
export function normalisedAxes({ builder, shapes }: RuleContext, node: GraphNode): number[] {
  if (builder.opset >= 13) return [intAttribute(node, 'axis', -1)];
  const x = inputOf(node, 0);
  const first = shapes.axis(x, intAttribute(node, 'axis', 1));
  return range(shapes.rank(x)).slice(first);
}

/** y (g − Σ g y) */
export const softmax = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  const y = outputOf(node);
  context.add(inputOf(node, 0), () => {
    const mean = builder.sum(builder.multiply(gradient, y), normalisedAxes(context, node));
    return builder.multiply(y, builder.subtract(gradient, mean));
  });
});

/** g − eʸ Σ g */
export const logSoftmax = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  context.add(inputOf(node, 0), () => {
    const total = builder.sum(gradient, normalisedAxes(context, node));
    return builder.subtract(gradient, builder.multiply(builder.node('Exp', [outputOf(node)]), total));
  });
});
