import { floatParameter, operand, type TapeNode } from '../tape/tape.ts';
import { addAt, type PlainContext, type PlainRule } from './plainRule.ts';
import { forEachElement, repeatedIndex } from './plainTensor.ts';

/** a ∘ b with b repeated: `slopes` gives the derivatives by both. */
export const binary =
  (slopes: (a: number, b: number) => readonly [number, number]): PlainRule =>
  ({ value, needs, gradientOf }, node, gradient) => {
    const [first, second] = [operand(node, 0), operand(node, 1)];
    const [a, b] = [value(first), value(second)];
    const toFirst = needs(first) ? gradientOf(first) : null;
    const toSecond = needs(second) ? gradientOf(second) : null;
    forEachElement(node.header.ne, (index, ...at) => {
      const [ia, ib] = [repeatedIndex(a.ne, ...at), repeatedIndex(b.ne, ...at)];
      const [byFirst, bySecond] = slopes(a.data[ia] as number, b.data[ib] as number);
      const upstream = gradient[index] as number;
      if (toFirst !== null) addAt(toFirst, ia, upstream * byFirst);
      if (toSecond !== null) addAt(toSecond, ib, upstream * bySecond);
    });
  };

export const add = binary(() => [1, 1]);
export const subtract = binary(() => [1, -1]);
export const multiply = binary((a, b) => [b, a]);
export const divide = binary((a, b) => [1 / b, -a / (b * b)]);

/** f(x), one element at a time. */
export const pointwise =
  (slope: (node: TapeNode, context: PlainContext) => (x: number) => number): PlainRule =>
  (context, node, gradient) => {
    const source = operand(node, 0);
    const { data } = context.value(source);
    const result = context.gradientOf(source);
    const derivative = slope(node, context);
    for (let index = 0; index < data.length; index++) {
      addAt(result, index, (gradient[index] as number) * derivative(data[index] as number));
    }
  };

export const scale = pointwise((node) => () => floatParameter(node, 0));
export const square = pointwise(() => (x) => 2 * x);
export const squareRoot = pointwise(() => (x) => 0.5 / Math.sqrt(x));
export const clamp = pointwise((node) => (x) => (x > floatParameter(node, 0) && x < floatParameter(node, 1) ? 1 : 0));

export const sumRows: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const source = operand(node, 0);
  const result = gradientOf(source);
  forEachElement(value(source).ne, (index, _x, ...row) => {
    addAt(result, index, gradient[repeatedIndex(node.header.ne, 0, ...row)] as number);
  });
};

export const repeat: PlainRule = ({ value, gradientOf }, node, gradient) => {
  const source = operand(node, 0);
  const { ne } = value(source);
  const result = gradientOf(source);
  forEachElement(node.header.ne, (index, ...at) => addAt(result, repeatedIndex(ne, ...at), gradient[index] as number));
};
