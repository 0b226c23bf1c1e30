/** The plain form of the rules in `../rules/relevance`: AttnLRP, arXiv 2402.05602. */
import { floatParameter, isActivation, operand } from '../tape/tape.ts';
import { gatedBy, unaryBy } from './activations.ts';
import { binary, multiply, pointwise } from './elementwise.ts';
import { addAt, type PlainRule, type PlainRuleTable } from './plainRule.ts';
import { plainRules } from './plainRules.ts';
import { matrixProduct } from './products.ts';
import { average } from './rows.ts';

/** f(x) / x, 0 at 0 */
const perInput = (x: number, y: number) => (x === 0 ? 0 : y / x);

/** Half to each of two activations. */
const shared =
  (rule: PlainRule): PlainRule =>
  (context, node, gradient) => {
    const isBilinear = isActivation(operand(node, 0)) && isActivation(operand(node, 1));
    rule(context, node, isBilinear ? gradient.map((entry) => entry / 2) : gradient);
  };

/** A row divided by its root mean square, which is taken as a constant; around its mean where it is centred. */
const scaled =
  (isCentred: boolean): PlainRule =>
  ({ value, gradientOf }, node, gradient) => {
    const source = operand(node, 0);
    const { data } = value(source);
    const result = gradientOf(source);
    const [width] = node.header.ne;
    for (let row = 0; row < data.length; row += width) {
      const x = data.subarray(row, row + width);
      const upstream = gradient.subarray(row, row + width);
      const [mean, meanUpstream] = isCentred ? [average(x), average(upstream)] : [0, 0];
      const size = Math.sqrt(average(x.map((entry) => (entry - mean) ** 2)) + floatParameter(node, 0));
      upstream.forEach((entry, index) => addAt(result, row + index, (entry - meanUpstream) / size));
    }
  };

export const plainRelevanceRules: PlainRuleTable = {
  ...plainRules,
  DIV: binary((_a, b) => [1 / b, 0]),
  GLU: gatedBy(({ value }, gate, other) => [(other * perInput(gate, value(gate))) / 2, value(gate) / 2]),
  MUL: shared(multiply),
  MUL_MAT: shared(matrixProduct),
  NORM: scaled(true),
  RMS_NORM: scaled(false),
  SQR: pointwise(() => (x) => x),
  SQRT: pointwise(() => (x) => perInput(x, Math.sqrt(x))),
  UNARY: unaryBy(({ value }, x) => perInput(x, value(x))),
};
