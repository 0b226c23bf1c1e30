/** Normalisation over the last axes: LayerNormalization, and without the mean SimplifiedLayerNormalization and RMSNormalization. */
import { floatAttribute, intAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { addBroadcast } from './arithmetic.ts';
import { type GradientRule, inputOf, ofFirstOutput } from './rule.ts';

/**
 * y = n w + b with n = (x − μ) r, r = 1 / √(var + ε): dx = r (h − mean h − n mean(h n)) with h = g w.
 * Without the mean (root mean square): dx = r (h − n mean(h n)).
 */
function norm(centred: boolean): GradientRule {
  return ofFirstOutput((node, gradient, context) => {
    const { builder, shapes, add, isActive } = context;
    const [x, weight, bias] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    if (bias !== '') addBroadcast(context, node, bias, () => gradient);
    if (!isActive(x) && !isActive(weight)) return;
    const axes = range(shapes.rank(x)).slice(shapes.axis(x, intAttribute(node, 'axis', -1)));
    const distance = centred ? builder.subtract(x, builder.mean(x, axes)) : x;
    const variance = builder.mean(builder.multiply(distance, distance), axes);
    const deviation = builder.node('Sqrt', [builder.add(variance, builder.number(floatAttribute(node, 'epsilon', 1e-5)))]);
    const rate = builder.node('Reciprocal', [deviation]);
    const normalised = builder.multiply(distance, rate);
    addBroadcast(context, node, weight, () => builder.multiply(gradient, normalised));
    add(x, () => {
      const weighted = builder.multiply(gradient, weight);
      const along = builder.mean(builder.multiply(weighted, normalised), axes);
      const across = builder.subtract(weighted, builder.multiply(normalised, along));
      return builder.multiply(centred ? builder.subtract(across, builder.mean(weighted, axes)) : across, rate);
    });
  });
}

export const layerNormalization = norm(true);
export const rootMeanSquareNormalization = norm(false);
