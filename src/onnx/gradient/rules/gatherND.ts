import { intAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

/** Slices taken by tuples of indices. */
export const gatherND = ofFirstOutput((node, gradient, { builder, shapes, add, refusal }) => {
  if (intAttribute(node, 'batch_dims', 0) !== 0) throw refusal('it has batch axes');
  if (builder.opset < 16) throw refusal('the graph is older than opset 16');
  const x = inputOf(node, 0);
  add(x, () => {
    const zeros = builder.node('ConstantOfShape', [shapes.of(x)]);
    return builder.node('ScatterND', [zeros, inputOf(node, 1), gradient], { reduction: 'add' });
  });
});
