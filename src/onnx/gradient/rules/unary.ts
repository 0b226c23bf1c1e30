/** Functions of one number, applied to every element: the gradient is multiplied by f′(x). */
import { floatAttribute, type GraphNode, stringAttribute } from '../../graph/graph.ts';
import type { GraphBuilder } from '../../graph/graphBuilder.ts';
import { type GradientRule, inputOf, ofFirstOutput, outputOf } from './rule.ts';

/** Writes f′(x), given y = f(x). */
type Derivative = (builder: GraphBuilder, x: string, y: string, node: GraphNode) => string;

function unary(derivative: Derivative): GradientRule {
  return ofFirstOutput((node, gradient, { builder, add }) => {
    const x = inputOf(node, 0);
    add(x, () => builder.multiply(gradient, derivative(builder, x, outputOf(node), node)));
  });
}

/** `above` where x > 0, else `below`. */
function byHalf(builder: GraphBuilder, x: string, above: string, below: string, border = 0): string {
  return builder.node('Where', [builder.node('Greater', [x, builder.number(border)]), above, below]);
}

const square = (builder: GraphBuilder, x: string) => builder.multiply(x, x);
const oneMinus = (builder: GraphBuilder, x: string) => builder.subtract(builder.number(1), x);
const scaled = (builder: GraphBuilder, x: string, factor: number) => builder.multiply(x, builder.number(factor));

/** x σ(a x): σ + a x σ (1 − σ) */
function gatedSigmoid(builder: GraphBuilder, x: string, slope: number): string {
  const inner = slope === 1 ? x : scaled(builder, x, slope);
  const sigmoid = builder.node('Sigmoid', [inner]);
  return builder.add(sigmoid, builder.multiply(inner, builder.multiply(sigmoid, oneMinus(builder, sigmoid))));
}

const rootTwoOverPi = Math.sqrt(2 / Math.PI);
const geluCubic = 0.044715;

/** The tanh form of Hendrycks & Gimpel 2016, arXiv 1606.08415: ½ (1 + t) + ½ x (1 − t²) u′ with t = tanh u, u = √(2/π) (x + 0.044715 x³). */
function geluTanh(builder: GraphBuilder, x: string): string {
  const squared = square(builder, x);
  const factor = builder.add(scaled(builder, squared, rootTwoOverPi * geluCubic), builder.number(rootTwoOverPi));
  const tanh = builder.node('Tanh', [builder.multiply(x, factor)]);
  const slope = builder.add(scaled(builder, squared, 3 * geluCubic * rootTwoOverPi), builder.number(rootTwoOverPi));
  const bend = builder.multiply(builder.multiply(oneMinus(builder, square(builder, tanh)), x), slope);
  return scaled(builder, builder.add(builder.add(tanh, builder.number(1)), bend), 0.5);
}

/** x Φ(x): Φ(x) + x φ(x) */
function geluExact(builder: GraphBuilder, x: string): string {
  const erf = builder.node('Erf', [scaled(builder, x, Math.SQRT1_2)]);
  const cumulative = scaled(builder, builder.add(erf, builder.number(1)), 0.5);
  const density = scaled(builder, builder.node('Exp', [scaled(builder, square(builder, x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  return builder.add(cumulative, builder.multiply(x, density));
}

/** A bias that is added before the activation; its own gradient is the sum over the rest. */
function withBias(derivative: (builder: GraphBuilder, x: string) => string): GradientRule {
  return ofFirstOutput((node, gradient, { builder, add, shapes, isActive }) => {
    const [x, bias] = [inputOf(node, 0), inputOf(node, 1)];
    if (!isActive(x) && !isActive(bias)) return;
    const slope = builder.multiply(gradient, derivative(builder, bias === '' ? x : builder.add(x, bias)));
    add(x, () => slope);
    if (bias !== '') add(bias, () => shapes.sumTo(slope, shapes.dims(outputOf(node)), bias));
  });
}

/** By operator key. */
export const unaryRules: Readonly<Record<string, GradientRule>> = {
  Neg: ofFirstOutput((node, gradient, { builder, add }) => add(inputOf(node, 0), () => builder.node('Neg', [gradient]))),
  Sqrt: unary((builder, _x, y) => builder.divide(builder.number(0.5), y)),
  Reciprocal: unary((builder, _x, y) => builder.node('Neg', [square(builder, y)])),
  Exp: unary((_builder, _x, y) => y),
  Log: unary((builder, x) => builder.node('Reciprocal', [x])),
  Abs: unary((builder, x) => builder.node('Sign', [x])),
  Sin: unary((builder, x) => builder.node('Cos', [x])),
  Cos: unary((builder, x) => builder.node('Neg', [builder.node('Sin', [x])])),
  Erf: unary((builder, x) =>
    scaled(builder, builder.node('Exp', [builder.node('Neg', [square(builder, x)])]), 2 / Math.sqrt(Math.PI)),
  ),
  /** g y (1 − y), begun with g: what does not depend on it is computed early and kept. */
  Sigmoid: ofFirstOutput((node, gradient, { builder, add }) => {
    const y = outputOf(node);
    add(inputOf(node, 0), () => {
      const through = builder.multiply(gradient, y);
      return builder.subtract(through, builder.multiply(through, y));
    });
  }),
  /** g (1 − y²), likewise. */
  Tanh: ofFirstOutput((node, gradient, { builder, add }) => {
    const y = outputOf(node);
    add(inputOf(node, 0), () => builder.subtract(gradient, builder.multiply(builder.multiply(gradient, y), y)));
  }),
  Softplus: unary((builder, x) => builder.node('Sigmoid', [x])),
  Softsign: unary((builder, x) => {
    return builder.node('Reciprocal', [square(builder, builder.add(builder.node('Abs', [x]), builder.number(1)))]);
  }),
  Relu: unary((builder, x) => builder.castToFloat(builder.node('Greater', [x, builder.number(0)]))),
  LeakyRelu: unary((builder, x, _y, node) => {
    return byHalf(builder, x, builder.number(1), builder.number(floatAttribute(node, 'alpha', 0.01)));
  }),
  ThresholdedRelu: unary((builder, x, _y, node) => {
    return byHalf(builder, x, builder.number(1), builder.number(0), floatAttribute(node, 'alpha', 1));
  }),
  /** Below 0, y = α (eˣ − 1) and y′ = y + α. */
  Elu: unary((builder, x, y, node) => {
    return byHalf(builder, x, builder.number(1), builder.add(y, builder.number(floatAttribute(node, 'alpha', 1))));
  }),
  Selu: unary((builder, x, y, node) => {
    const gamma = floatAttribute(node, 'gamma', 1.0507009873554805);
    const alpha = floatAttribute(node, 'alpha', 1.6732632423543772);
    return byHalf(builder, x, builder.number(gamma), builder.add(y, builder.number(gamma * alpha)));
  }),
  Celu: unary((builder, x, y, node) => {
    const below = builder.add(scaled(builder, y, 1 / floatAttribute(node, 'alpha', 1)), builder.number(1));
    return byHalf(builder, x, builder.number(1), below);
  }),
  HardSigmoid: unary((builder, _x, y, node) => {
    const inside = builder.node('And', [
      builder.node('Greater', [y, builder.number(0)]),
      builder.node('Less', [y, builder.number(1)]),
    ]);
    return scaled(builder, builder.castToFloat(inside), floatAttribute(node, 'alpha', 0.2));
  }),
  /** x clip(x / 6 + ½, 0, 1) */
  HardSwish: unary((builder, x) => {
    const middle = byHalf(builder, x, builder.add(scaled(builder, x, 1 / 3), builder.number(0.5)), builder.number(0), -3);
    return byHalf(builder, x, builder.number(1), middle, 3);
  }),
  /** x tanh(softplus x): t + x (1 − t²) σ(x) */
  Mish: unary((builder, x) => {
    const tanh = builder.node('Tanh', [builder.node('Softplus', [x])]);
    const bend = builder.multiply(oneMinus(builder, square(builder, tanh)), builder.node('Sigmoid', [x]));
    return builder.add(tanh, builder.multiply(x, bend));
  }),
  Swish: unary((builder, x, _y, node) => gatedSigmoid(builder, x, floatAttribute(node, 'alpha', 1))),
  'com.microsoft:QuickGelu': unary((builder, x, _y, node) => gatedSigmoid(builder, x, floatAttribute(node, 'alpha', 1.702))),
  Gelu: unary((builder, x, _y, node) => {
    return stringAttribute(node, 'approximate', 'none') === 'tanh' ? geluTanh(builder, x) : geluExact(builder, x);
  }),
  'com.microsoft:Gelu': unary(geluExact),
  'com.microsoft:BiasGelu': withBias(geluExact),
  'com.microsoft:FastGelu': withBias(geluTanh),
};
