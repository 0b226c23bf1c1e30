/**
 * Products of 8-bit numbers. Rounding is passed straight through: an operand stands for the real number it was made of, so the
 * derivative of the product by it is the other operand, zero point removed.
 */
import type { GraphNode } from '../../graph/graph.ts';
import { addBroadcast } from './arithmetic.ts';
import { inputOf, ofFirstOutput, type RuleContext } from './rule.ts';

/** An 8-bit matrix as whole numbers in float32. `zero`: one number, or one a column ('' for 0). */
function centred({ builder, once }: RuleContext, matrix: string, zero: string): string {
  return once(`centred ${matrix} ${zero}`, () => {
    const real = builder.castToFloat(matrix);
    return zero === '' ? real : builder.subtract(real, builder.castToFloat(zero));
  });
}

/** A zero point a row, [M], stands beside the columns once it is [M, 1]. */
function rowZero({ builder, shapes }: RuleContext, zero: string): string {
  if (zero === '') return '';
  const last = shapes.dims(zero)[0].at(-1);
  return shapes.rank(zero) === 1 && last !== 1 ? builder.unsqueeze(zero, [1]) : zero;
}

/** MatMulInteger: whole numbers, so what comes before and after divides and multiplies by the scales. */
export const matMulInteger = ofFirstOutput((node, gradient, context) => {
  const { builder, shapes, add } = context;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (shapes.rank(a) < 2 || shapes.rank(b) < 2) throw context.refusal('one of its operands is a vector');
  const batch = (tensor: string) => {
    const [y, own] = [shapes.dims(node.outputs[0] ?? ''), shapes.dims(tensor)];
    return [
      [...y[0].slice(0, -2), ...own[0].slice(-2)],
      [...y[1].slice(0, -2), ...own[1].slice(-2)],
    ] as const;
  };
  add(a, () => {
    const full = builder.matMul(gradient, centred(context, b, inputOf(node, 3)), { b: true });
    return shapes.sumTo(full, batch(a), a);
  });
  add(b, () => {
    const full = builder.matMul(centred(context, a, rowZero(context, inputOf(node, 2))), gradient, { a: true });
    return shapes.sumTo(full, batch(b), b);
  });
});

/** com.microsoft:MatMulIntegerToFloat: A, B, scale of A, scale of B, zero of A, zero of B, bias. */
export const matMulIntegerToFloat = ofFirstOutput((node, gradient, context) => {
  const { builder, add } = context;
  if (context.isActive(inputOf(node, 1))) throw context.refusal('both of its operands depend on the input');
  add(inputOf(node, 0), () => {
    const byColumn = builder.multiply(gradient, inputOf(node, 3));
    const full = builder.matMul(byColumn, centred(context, inputOf(node, 1), inputOf(node, 5)), { b: true });
    return builder.multiply(full, inputOf(node, 2));
  });
  addBias(node, inputOf(node, 6), gradient, context);
});

/** com.microsoft:DynamicQuantizeMatMul: real A, B, scale of B, zero of B, bias. */
export const dynamicQuantizeMatMul = ofFirstOutput((node, gradient, context) => {
  const { builder, add } = context;
  add(inputOf(node, 0), () => {
    const byColumn = builder.multiply(gradient, inputOf(node, 2));
    return builder.matMul(byColumn, centred(context, inputOf(node, 1), inputOf(node, 3)), { b: true });
  });
  addBias(node, inputOf(node, 4), gradient, context);
});

function addBias(node: GraphNode, bias: string, gradient: string, context: RuleContext): void {
  if (bias !== '') addBroadcast(context, node, bias, () => gradient);
}
