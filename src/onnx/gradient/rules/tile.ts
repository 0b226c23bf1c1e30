import { range } from '../shapes.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** Every copy is added: axis by axis, [repeats · size] is seen as [repeats, size] and summed over repeats. */
export const tile = ofFirstOutput((node, gradient, { builder, shapes, add }) => {
  const [x, repeats] = [inputOf(node, 0), inputOf(node, 1)];
  add(x, () => {
    const pairs = builder.node('Concat', [builder.unsqueeze(repeats, [1]), builder.unsqueeze(shapes.of(x), [1])], { axis: 1 });
    const apart = builder.node('Reshape', [gradient, builder.reshape(pairs, [-1])]);
    return builder.sum(
      apart,
      range(shapes.rank(x)).map((axis) => 2 * axis),
      false,
    );
  });
});
