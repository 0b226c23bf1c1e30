/** Norms as one operator: the scale is taken as a constant, so that all relevance passes; the centring is linear and keeps its derivative. */
import { floatAttribute, intAttribute } from '../../../graph/graph.ts';
import { range } from '../../shapes.ts';
import { addBroadcast } from '../arithmetic.ts';
import { type GradientRule, inputOf, ofFirstOutput } from '../rule.ts';

function norm(isCentred: boolean): GradientRule {
  return ofFirstOutput((node, gradient, context) => {
    const { builder, shapes, add } = context;
    const [x, weight, bias] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    if (bias !== '') addBroadcast(context, node, bias, () => gradient);
    add(x, () => {
      const axes = range(shapes.rank(x)).slice(shapes.axis(x, intAttribute(node, 'axis', -1)));
      const distance = isCentred ? builder.subtract(x, builder.mean(x, axes)) : x;
      const variance = builder.mean(builder.multiply(distance, distance), axes);
      const size = builder.node('Sqrt', [builder.add(variance, builder.number(floatAttribute(node, 'epsilon', 1e-5)))]);
      const passed = builder.divide(builder.multiply(gradient, weight), size);
      return isCentred ? builder.subtract(passed, builder.mean(passed, axes)) : passed;
    });
  });
}

export const layerNormalization = norm(true);
export const rootMeanSquareNormalization = norm(false);
