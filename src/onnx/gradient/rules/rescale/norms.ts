/**
 * Norms as one operator, x r with r = 1 / s, s = √(mean x² + ε): a product, and inside r a mean of squares, whose difference is
 * mean (x + x₀) Δx, under a function whose difference is −r² r₀² / (r + r₀) of that. Centring is linear.
 */
import { floatAttribute, intAttribute } from '../../../graph/graph.ts';
import { range } from '../../shapes.ts';
import { addBroadcast } from '../arithmetic.ts';
import { type GradientRule, inputOf, ofFirstOutput } from '../rule.ts';

function norm(isCentred: boolean): GradientRule {
  return ofFirstOutput((node, gradient, context) => {
    const { builder, shapes, add, varies, reference } = context;
    const [x, weight, bias] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    if (varies(weight)) throw context.refusal('its weight depends on the input');
    if (bias !== '') addBroadcast(context, node, bias, () => gradient);
    add(x, () => {
      const axes = range(shapes.rank(x)).slice(shapes.axis(x, intAttribute(node, 'axis', -1)));
      const centre = (tensor: string) => (isCentred ? builder.subtract(tensor, builder.mean(tensor, axes)) : tensor);
      const epsilon = builder.number(floatAttribute(node, 'epsilon', 1e-5));
      const sizeOf = (row: string) =>
        builder.node('Sqrt', [builder.add(builder.mean(builder.multiply(row, row), axes), epsilon)]);
      const rows = [centre(x), centre(reference(x))] as const;
      const sizes = [sizeOf(rows[0]), sizeOf(rows[1])] as const;
      const [sum, product] = [builder.add(...sizes), builder.multiply(...sizes)];
      const half = builder.number(0.5);
      const weighted = builder.multiply(gradient, weight);
      // The mean of r and r₀ is (s + s₀) / 2 s s₀, and r² r₀² / (r + r₀) = 1 / (s s₀ (s + s₀)).
      const direct = builder.multiply(weighted, builder.multiply(builder.divide(sum, product), half));
      const both = builder.add(...rows);
      const along = builder.divide(builder.mean(builder.multiply(weighted, both), axes), builder.multiply(product, sum));
      return centre(builder.subtract(direct, builder.multiply(both, builder.multiply(along, half))));
    });
  });
}

export const layerNormalization = norm(true);
export const rootMeanSquareNormalization = norm(false);
