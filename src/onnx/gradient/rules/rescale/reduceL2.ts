import { intAttribute } from '../../../graph/graph.ts';
import { reducedAxes } from '../reduce.ts';
import { inputOf, ofFirstOutput, outputOf } from '../rule.ts';

/** ‖x‖ − ‖x₀‖ = Σ (x + x₀) (x − x₀) / (‖x‖ + ‖x₀‖); 0 where both are. */
export const reduceL2 = ofFirstOutput((node, gradient, context) => {
  const { builder, reference, add } = context;
  const [x, y] = [inputOf(node, 0), outputOf(node)];
  add(x, () => {
    const axes = reducedAxes(node, context) ?? [];
    const inPlace = (tensor: string) =>
      axes.length === 0 || intAttribute(node, 'keepdims', 1) === 1 ? tensor : builder.unsqueeze(tensor, axes);
    const norms = builder.add(inPlace(y), inPlace(reference(y)));
    const isZero = builder.node('Equal', [norms, builder.number(0)]);
    const safe = builder.node('Where', [isZero, builder.number(1), norms]);
    return builder.multiply(builder.divide(inPlace(gradient), safe), builder.add(x, reference(x)));
  });
});
