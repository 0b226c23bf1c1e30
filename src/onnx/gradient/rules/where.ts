import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** The gradient goes to the operand that was chosen. */
export const where = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  const condition = inputOf(node, 0);
  addBroadcast(context, node, inputOf(node, 1), () => builder.node('Where', [condition, gradient, builder.number(0)]));
  addBroadcast(context, node, inputOf(node, 2), () => builder.node('Where', [condition, builder.number(0), gradient]));
});
