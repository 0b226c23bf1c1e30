import type { GraphBuilder } from '../../../graph/graphBuilder.ts';
import { type GradientRule, ofFirstOutput, outputOf } from '../rule.ts';

/** Where two numbers are nearer than this, their difference says less about a function than its derivative between them. */
const near = 1e-2;

/** Both runs of a tensor. */
export type Pair = readonly [string, string];

/** far ? (y − y₀) / (x − x₀) : between, with far where x and x₀ are not near. */
export function slope(builder: GraphBuilder, x: Pair, y: Pair, between: string): string {
  const distance = builder.subtract(...x);
  const isFar = builder.node('Greater', [builder.node('Abs', [distance]), builder.number(near)]);
  const divisor = builder.node('Where', [isFar, distance, builder.number(1)]);
  return builder.node('Where', [isFar, builder.divide(builder.subtract(...y), divisor), between]);
}

/** A function f of one number, whatever constants stand beside it: (f(x) − f(x₀)) / (x − x₀); where the two are near, f′ half-way. */
export function secant(derivative: GradientRule): GradientRule {
  return ofFirstOutput((node, gradient, context) => {
    const { builder, shapes, varies, mean, reference, standIn, add } = context;
    const [x, ...others] = [...new Set(node.inputs.filter(varies))];
    const y = outputOf(node);
    if (x === undefined) return;
    const sameShape = shapes.dims(x).join('|') === shapes.dims(y).join('|');
    if (others.length > 0 || !sameShape) throw context.refusal('more than one of its operands depends on the input');
    add(x, () => {
      const inputs = node.inputs.map((input) => mean(input));
      const middle = standIn(builder.fresh('middle'), y);
      builder.nodes.push({ ...node, name: '', inputs, outputs: [middle] });
      let between: string | null = null;
      const one = builder.node('Expand', [builder.number(1), shapes.of(y)]);
      const collect = (_: string, found: () => string) => (between = found());
      derivative({ ...node, inputs, outputs: [middle] }, [one], { ...context, add: collect });
      return builder.multiply(gradient, slope(builder, [x, reference(x)], [y, reference(y)], between ?? ''));
    });
  });
}
