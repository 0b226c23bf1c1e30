import { intAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { inputOf, ofFirstOutput, type RuleContext } from './rule.ts';

/** Elements taken by an index each, along one axis. */
export const gatherElements = ofFirstOutput((node, gradient, context) => {
  const { builder, shapes, add } = context;
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  const axis = shapes.axis(x, intAttribute(node, 'axis', 0));
  add(x, () => {
    if (builder.opset < 16) return byComparison(context, gradient, x, indices, axis);
    const zeros = builder.node('ConstantOfShape', [shapes.of(x)]);
    return builder.node('ScatterElements', [zeros, indices, gradient], { axis, reduction: 'add' });
  });
});

/** Before opset 16 nothing adds where it scatters: every index becomes a row of zeros and a one. Takes memory, K times that of x. */
function byComparison(
  { builder, shapes, refusal }: RuleContext,
  gradient: string,
  x: string,
  indices: string,
  axis: number,
): string {
  const rank = shapes.rank(x);
  const [own, taken] = [shapes.dims(x), shapes.dims(indices)];
  const alike = range(rank).every(
    (place) => place === axis || (own[0][place] === taken[0][place] && own[1][place] === taken[1][place]),
  );
  if (!alike) throw refusal('its indices do not cover the other axes, and the graph is older than opset 16');
  const zeroOrOne = builder.constant([2], Float32Array.of(0, 1));
  const lastPerm = [...range(rank).filter((place) => place !== axis), axis];
  const last = (tensor: string) => (axis === rank - 1 ? tensor : builder.transpose(tensor, lastPerm));
  const places = builder.node('OneHot', [last(indices), shapes.size(x, axis), zeroOrOne], { axis: -1 }); // [..., K, size]
  const rows = builder.unsqueeze(last(gradient), [rank - 1]); // [..., 1, K]
  const scattered = builder.squeeze(builder.matMul(rows, places), [rank - 1]);
  if (axis === rank - 1) return scattered;
  return builder.transpose(scattered, [...range(axis), rank - 1, ...range(rank - 1).slice(axis)]);
}
