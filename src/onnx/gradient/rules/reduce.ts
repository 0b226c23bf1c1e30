/** Sums, means, norms and extremes over axes: the gradient is stretched over what was reduced. */
import { type GraphNode, intAttribute, intsAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { type GradientRule, inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';

/** A reduction with its axes back in place: they have size 1 in `gradient` and in `y`. */
interface Reduction {
  readonly context: RuleContext;
  readonly x: string;
  readonly axes: readonly number[];
  readonly gradient: string;
  readonly y: () => string;
}

/** @param own d target / d x, in the shape of x or one that is broadcast to it */
function reduction(own: (reduction: Reduction) => string): GradientRule {
  return ofFirstOutput((node, gradient, context) => {
    const x = inputOf(node, 0);
    context.add(x, () => {
      const axes = reducedAxes(node, context);
      if (axes === null) return gradient; // told to do nothing when there are no axes
      const { builder } = context;
      const inPlace = (tensor: string) => (intAttribute(node, 'keepdims', 1) === 1 ? tensor : builder.unsqueeze(tensor, axes));
      return own({ context, x, axes, gradient: inPlace(gradient), y: () => inPlace(outputOf(node)) });
    });
  });
}

/** From 0, ascending. Null: no axes, and then nothing is reduced. */
export function reducedAxes(node: GraphNode, { shapes, refusal }: RuleContext): number[] | null {
  const x = inputOf(node, 0);
  const given = inputOf(node, 1);
  const axes = intsAttribute(node, 'axes') ?? (given === '' ? [] : shapes.wholeNumbers(given));
  if (axes === null) throw refusal('its axes depend on the input');
  if (axes.length > 0) return axes.map((axis) => shapes.axis(x, axis)).sort((a, b) => a - b);
  return intAttribute(node, 'noop_with_empty_axes', 0) === 1 ? null : range(shapes.rank(x));
}

const expand = ({ context: { builder, shapes }, x }: Reduction, gradient: string) =>
  builder.node('Expand', [gradient, shapes.of(x)]);

/** How many elements were reduced to one: float32. */
function count({ context: { builder, shapes }, x, axes }: Reduction): string {
  const fixed = axes.map((axis) => shapes.fixedSize(x, axis) ?? 1).reduce((product, size) => product * size, 1);
  return axes
    .filter((axis) => shapes.fixedSize(x, axis) === null)
    .map((axis) => builder.castToFloat(shapes.size(x, axis)))
    .reduce((product, size) => builder.multiply(product, size), builder.number(fixed));
}

/** Elements that are the extreme share the gradient. */
const extreme = reduction(({ context: { builder }, x, axes, gradient, y }) => {
  const isExtreme = builder.castToFloat(builder.node('Equal', [x, y()]));
  return builder.multiply(isExtreme, builder.divide(gradient, builder.sum(isExtreme, axes)));
});

/** By operator key. */
export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: reduction((parts) => expand(parts, parts.gradient)),
  ReduceMean: reduction((parts) => expand(parts, parts.context.builder.divide(parts.gradient, count(parts)))),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceSumSquare: reduction(({ context: { builder }, x, gradient }) => {
    return builder.multiply(builder.multiply(gradient, builder.number(2)), x);
  }),
  ReduceL1: reduction(({ context: { builder }, x, gradient }) => builder.multiply(gradient, builder.node('Sign', [x]))),
  /** x / ‖x‖; 0 where the norm is. */
  ReduceL2: reduction(({ context: { builder }, x, gradient, y }) => {
    const norm = y();
    const isZero = builder.node('Equal', [norm, builder.number(0)]);
    const safe = builder.node('Where', [isZero, builder.number(1), norm]);
    return builder.multiply(builder.divide(gradient, safe), x);
  }),
  ReduceLogSumExp: reduction(({ context: { builder }, x, gradient, y }) => {
    return builder.multiply(gradient, builder.node('Exp', [builder.subtract(x, y())]));
  }),
};
