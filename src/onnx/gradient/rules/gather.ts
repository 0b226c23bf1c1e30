import { intAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { inputOf, ofFirstOutput } from './rule.ts';
import { scatterAlong } from './scatter.ts';

/** Activations taken by index along an axis: y [before..., indices..., after...]. */
export const gather = ofFirstOutput((node, gradient, context) => {
  const { builder, shapes, add } = context;
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  add(x, () => {
    const rank = shapes.rank(x);
    const axis = shapes.axis(x, intAttribute(node, 'axis', 0));
    const size = shapes.size(x, axis);
    const indexRank = shapes.rank(indices);
    if (indexRank === 1) return scatterAlong(context, gradient, rank, axis, indices, size);
    // All axes of the indices become one, at the end.
    const others = range(rank + indexRank - 1).filter((place) => place < axis || place >= axis + indexRank);
    const indexAxes = range(indexRank).map((place) => place + axis);
    const moved = builder.transpose(gradient, [...others, ...indexAxes]);
    const flat = builder.reshape(moved, [...others.map(() => 0), -1]); // [before..., after..., K]
    const scattered = scatterAlong(context, flat, rank, rank - 1, builder.reshape(indices, [-1]), size);
    const perm = [...range(axis), rank - 1, ...range(rank - 1).slice(axis)];
    return builder.transpose(scattered, perm);
  });
});
