/** Rounding to 8 bits and back: q = round(x / s) + z, x′ = (q − z) s. Straight through: dq/dx = 1 / s, dx′/dq = s. */
import { type GraphNode, intAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { type GradientRule, inputOf, ofFirstOutput, type RuleContext } from './rule.ts';

/** The scale, shaped so that it stands beside the elements it belongs to. */
function scaleBeside(node: GraphNode, { shapes, builder, refusal }: RuleContext): string {
  const [x, scale] = [inputOf(node, 0), inputOf(node, 1)];
  if (intAttribute(node, 'block_size', 0) !== 0)
    throw refusal('it has a scale for each block, which is handled for weights only');
  const count = shapes.fixedSize(scale, 0) ?? 1;
  if (shapes.rank(scale) === 0 || count === 1) return builder.reshape(scale, []);
  const axis = shapes.axis(x, intAttribute(node, 'axis', 1));
  return builder.reshape(
    scale,
    range(shapes.rank(x)).map((place) => (place === axis ? count : 1)),
  );
}

export const quantizeLinear = ofFirstOutput((node, gradient, context) => {
  context.add(inputOf(node, 0), () => context.builder.divide(gradient, scaleBeside(node, context)));
});

export const dequantizeLinear = ofFirstOutput((node, gradient, context) => {
  context.add(inputOf(node, 0), () => context.builder.multiply(gradient, scaleBeside(node, context)));
});

/** Outputs: q, s, z. The scale is taken as given: it is a property of the rounding, not of the network. */
export const dynamicQuantizeLinear: GradientRule = (node, [gradient = null], { builder, add }) => {
  if (gradient !== null) add(inputOf(node, 0), () => builder.divide(gradient, node.outputs[1] ?? ''));
};
