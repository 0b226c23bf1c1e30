/** Powers, by quotients of differences that divide by no difference. */
import { addBroadcast } from '../arithmetic.ts';
import { constantNumber, power as derivative } from '../power.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from '../rule.ts';
import { secant } from './secant.ts';

/** √x − √x₀ = (x − x₀) / (√x + √x₀) */
const root = ({ builder, reference }: RuleContext, _x: string, y: string, gradient: string) =>
  builder.divide(gradient, builder.add(y, reference(y)));

/** 1/x − 1/x₀ = −(x − x₀) / (x x₀) */
const inverse = ({ builder, reference }: RuleContext, _x: string, y: string, gradient: string) =>
  builder.node('Neg', [builder.multiply(gradient, builder.multiply(y, reference(y)))]);

/** r − r₀ = −r² r₀² / (r + r₀) · (x − x₀) with r = 1 / √x */
const inverseRoot = ({ builder, reference }: RuleContext, _x: string, y: string, gradient: string) => {
  const product = builder.multiply(y, reference(y));
  const rate = builder.divide(builder.multiply(product, product), builder.add(y, reference(y)));
  return builder.node('Neg', [builder.multiply(gradient, rate)]);
};

/** x² − x₀² = (x + x₀) (x − x₀) */
const square = ({ builder, reference }: RuleContext, x: string, _y: string, gradient: string) =>
  builder.multiply(gradient, builder.add(x, reference(x)));

/** x³ − x₀³ = (x² + x x₀ + x₀²) (x − x₀) = ((x + x₀)² − x x₀) (x − x₀) */
const cube = ({ builder, reference }: RuleContext, x: string, _y: string, gradient: string) => {
  const sum = builder.add(x, reference(x));
  const rate = builder.subtract(builder.multiply(sum, sum), builder.multiply(x, reference(x)));
  return builder.multiply(gradient, rate);
};

const closedForms: ReadonlyMap<number | null, typeof root> = new Map([
  [0.5, root],
  [-1, inverse],
  [-0.5, inverseRoot],
  [2, square],
  [3, cube],
]);

const closed = (form: typeof root) =>
  ofFirstOutput((node, gradient, context) => {
    const [x, y] = [inputOf(node, 0), outputOf(node)];
    addBroadcast(context, node, x, () => form(context, x, y, gradient));
  });

export const squareRoot = closed(root);
export const reciprocal = closed(inverse);

export const power = ofFirstOutput((node, gradient, context) => {
  const exponent = inputOf(node, 1);
  const form = context.varies(exponent) ? undefined : closedForms.get(constantNumber(context, exponent));
  (form === undefined ? secant(derivative) : closed(form))(node, [gradient], context);
});
