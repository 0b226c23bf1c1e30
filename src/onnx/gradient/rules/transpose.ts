import { intsAttribute } from '../../graph/graph.ts';
import { range } from '../shapes.ts';
import { inputOf, ofFirstOutput } from './rule.ts';

export const transpose = ofFirstOutput((node, gradient, { add, builder, shapes }) => {
  const x = inputOf(node, 0);
  const perm = intsAttribute(node, 'perm') ?? range(shapes.rank(x)).reverse();
  add(x, () => builder.transpose(gradient, inversePermutation(perm)));
});

export function inversePermutation(perm: readonly number[]): number[] {
  return range(perm.length).map((axis) => perm.indexOf(axis));
}
