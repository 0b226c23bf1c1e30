import { addBroadcast, divide as quotient, multiply as product } from '../arithmetic.ts';
import { inputOf, ofFirstOutput } from '../rule.ts';
import { identityRule } from './activation.ts';
import { isNormScale } from './normScale.ts';
import { isBilinear, shared } from './shared.ts';

/** An activation written out (x · sigmoid x), a norm (x · r, r taken as a constant), or half to each factor. */
export const multiply = ofFirstOutput((node, gradient, context) => {
  if (isBilinear(node, context)) {
    if (identityRule(node, gradient, context)) return;
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const scale = isNormScale(b, context) ? b : isNormScale(a, context) ? a : null;
    if (scale !== null) {
      addBroadcast(context, node, scale === b ? a : b, () => context.builder.multiply(gradient, scale));
      return;
    }
  }
  shared(product)(node, [gradient], context);
});

/** An activation written out, or a / b with b taken as a constant: it normalises. */
export const divide = ofFirstOutput((node, gradient, context) => {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (!context.varies(b)) {
    quotient(node, [gradient], context);
    return;
  }
  if (identityRule(node, gradient, context)) return;
  addBroadcast(context, node, a, () => context.builder.divide(gradient, b));
});
