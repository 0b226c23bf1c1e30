import { addBroadcast, divide as quotient } from '../arithmetic.ts';
import { inputOf, ofFirstOutput } from '../rule.ts';

/** a / b as a product of a and 1/b, whose difference is −(b − b₀) / (b b₀). */
export const divide = ofFirstOutput((node, gradient, context) => {
  const { builder, varies, mean, reference } = context;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (!varies(b)) {
    quotient(node, [gradient], context);
    return;
  }
  const product = () => builder.multiply(b, reference(b));
  addBroadcast(context, node, a, () => builder.multiply(gradient, builder.divide(mean(b), product())));
  addBroadcast(context, node, b, () => {
    return builder.node('Neg', [builder.divide(builder.multiply(gradient, mean(a)), product())]);
  });
});
