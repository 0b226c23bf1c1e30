import { intAttribute } from '../../graph/graph.ts';
import { type GradientRule, inputOf } from './rule.ts';

/** The parts are joined again; zeros stand for those the target does not depend on. */
export const split: GradientRule = (node, gradients, { builder, shapes, add }) => {
  const axis = intAttribute(node, 'axis', 0);
  add(inputOf(node, 0), () => {
    const parts = node.outputs.map((output, i) => gradients[i] ?? builder.node('ConstantOfShape', [shapes.of(output)]));
    return parts.length === 1 ? (parts[0] ?? '') : builder.node('Concat', parts, { axis });
  });
};
