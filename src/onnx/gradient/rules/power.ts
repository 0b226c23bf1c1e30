import { elementTypes } from '../../graph/graph.ts';
import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';

/** y = xᵖ: dy/dx = p xᵖ⁻¹, dy/dp = y log x */
export const power = ofFirstOutput((node, gradient, context) => {
  const { builder } = context;
  const [x, given] = [inputOf(node, 0), inputOf(node, 1)];
  const exponent = constantNumber(context, given);
  addBroadcast(context, node, x, () => {
    if (exponent === 2) return builder.multiply(builder.multiply(gradient, builder.number(2)), x);
    const isFloat = context.shapes.facts(given).type === elementTypes.float32;
    const p = exponent !== null ? builder.number(exponent) : isFloat ? given : builder.castToFloat(given);
    const less = exponent !== null ? builder.number(exponent - 1) : builder.subtract(p, builder.number(1));
    return builder.multiply(gradient, builder.multiply(p, builder.node('Pow', [x, less])));
  });
  addBroadcast(context, node, given, () =>
    builder.multiply(gradient, builder.multiply(outputOf(node), builder.node('Log', [x]))),
  );
});

/** The value of an initializer that holds one float; null for everything else. */
export function constantNumber({ builder, shapes }: RuleContext, tensor: string): number | null {
  const found = builder.graph.initializers.get(tensor);
  if (found?.type === elementTypes.float32 && found.bytes?.length === 4) {
    return new DataView(found.bytes.buffer, found.bytes.byteOffset, 4).getFloat32(0, true);
  }
  const whole = shapes.wholeNumbers(tensor);
  return whole?.length === 1 ? (whole[0] ?? null) : null;
}
