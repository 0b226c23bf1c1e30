import type { TensorHeader } from '../../../graph/tensorHeader.ts';
import { operand } from '../../tape/tape.ts';
import { activations } from '../activations.ts';
import { clamp as clampDerivative } from '../clamp.ts';
import type { BackwardContext, OperatorRule } from '../rule.ts';
import { nameOf, unary as unaryDerivative } from '../unary.ts';
import { meanOf } from './mean.ts';
import { type Secant, slope } from './secant.ts';

/** (f(x) − f(x₀)) / (x − x₀); where the two are near, f′ half-way between them. */
export function activationSlope({ emit }: BackwardContext, name: string, { x, y }: Secant): TensorHeader {
  const derivative = activations[name];
  if (derivative === undefined) throw new Error(`no derivative of ${name}`);
  const middle = meanOf({ emit }, ...x);
  const one = emit.filledLike(middle, 1);
  const between = derivative.backward(
    emit,
    one,
    () => middle,
    () => emit.unary(middle, name),
  );
  return slope(emit, { x, y }, between);
}

export const unary: OperatorRule = {
  ...unaryDerivative,
  backward(context, node, gradient) {
    const { emit, accumulate, value, reference } = context;
    const x = operand(node, 0);
    const secant: Secant = {
      x: [emit.contiguous(value(x)), emit.contiguous(reference(x))],
      y: [value(node), reference(node)],
    };
    accumulate(x, emit.multiply(emit.contiguous(gradient), activationSlope(context, nameOf(node, emit.numbers), secant)));
  },
};

/** Between the bounds the slope is 1 and beyond them 0; across one, the share of the way that lies inside. */
export const clamp: OperatorRule = {
  ...clampDerivative,
  backward(context, node, gradient) {
    const { emit, accumulate, value, reference } = context;
    const x = operand(node, 0);
    const ends = [emit.contiguous(value(x)), emit.contiguous(reference(x))] as const;
    const middle = meanOf(context, ...ends);
    const inside = (between: TensorHeader) => slope(emit, { x: ends, y: [value(node), reference(node)] }, between);
    clampDerivative.backward(
      {
        ...context,
        value: () => middle,
        accumulate: (_, between) => accumulate(x, emit.multiply(emit.contiguous(gradient), inside(between))),
      },
      node,
      emit.filledLike(middle, 1),
    );
  },
};
