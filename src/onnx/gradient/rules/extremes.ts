/** Max, Min, Clip: the gradient goes to what was chosen. */
import { floatAttribute } from '../../graph/graph.ts';
import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput, outputOf } from './rule.ts';

/** Max and Min of any number; equal ones share the gradient. */
export const extreme = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  const y = outputOf(node);
  if (!node.inputs.some((input) => context.isActive(input))) return;
  const chosen = node.inputs.map((input) => builder.castToFloat(builder.node('Equal', [input, y])));
  const share = builder.divide(
    gradient,
    chosen.reduce((sum, one) => builder.add(sum, one)),
  );
  node.inputs.forEach((input, i) => {
    addBroadcast(context, node, input, () => builder.multiply(share, chosen[i] ?? ''));
  });
});

/** 1 inside and at the limits, 0 outside. */
export const clip = ofFirstOutput((node, gradient, context) => {
  const { builder, add, isActive } = context;
  const x = inputOf(node, 0);
  if (isActive(inputOf(node, 1)) || isActive(inputOf(node, 2))) throw context.refusal('its limits depend on the input');
  const limit = (name: 'min' | 'max', given: string) => {
    if (given !== '') return given;
    return node.attributes.has(name) ? builder.number(floatAttribute(node, name, 0)) : null;
  };
  const [low, high] = [limit('min', inputOf(node, 1)), limit('max', inputOf(node, 2))];
  add(x, () => {
    const above = low === null ? gradient : builder.node('Where', [builder.node('Less', [x, low]), builder.number(0), gradient]);
    return high === null ? above : builder.node('Where', [builder.node('Greater', [x, high]), builder.number(0), above]);
  });
});
