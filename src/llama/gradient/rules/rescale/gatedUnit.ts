import { gatedRule } from '../gatedUnit.ts';
import { activationSlope } from './elementwise.ts';
import { meanOf } from './mean.ts';

/** f(x) · y: a product of y and f(x), whose difference is the secant's slope times that of the gate x. */
export const gatedUnit = gatedRule((context, activation, operands, upstream) => {
  const { emit, value, reference } = context;
  const [gate, factor] = operands(value).map((tensor) => emit.contiguous(tensor)) as [typeof upstream, typeof upstream];
  const [gate0, factor0] = operands(reference).map((tensor) => emit.contiguous(tensor)) as [typeof upstream, typeof upstream];
  const activated = [emit.unary(gate, activation), emit.unary(gate0, activation)] as const;
  const slope = activationSlope(context, activation, { x: [gate, gate0], y: activated });
  return [
    emit.multiply(emit.multiply(upstream, meanOf(context, factor, factor0)), slope),
    emit.multiply(upstream, meanOf(context, ...activated)),
  ];
});
