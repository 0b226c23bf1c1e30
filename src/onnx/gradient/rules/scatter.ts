import { range } from '../shapes.ts';
import type { RuleContext } from './rule.ts';
import { inversePermutation } from './transpose.ts';

/**
 * The gradient of taking places out of one axis: each slice of the gradient is added where it was taken from, as a product with a
 * matrix of zeros and ones, so places that were taken twice get both.
 *
 * @param gradient [..., K, ...] of `rank` axes, K at `axis`
 * @param indices [K] int64 or int32, negative ones counted from the end
 * @param size [1] int64, the length of the axis before
 */
export function scatterAlong(
  { builder }: RuleContext,
  gradient: string,
  rank: number,
  axis: number,
  indices: string,
  size: string,
): string {
  const zeroOrOne = builder.constant([2], Float32Array.of(0, 1));
  const places = builder.node('OneHot', [indices, size, zeroOrOne], { axis: -1 }); // [K, size]
  if (axis === rank - 1) return builder.matMul(gradient, places);
  const perm = [...range(rank).filter((other) => other !== axis), axis];
  return builder.transpose(builder.matMul(builder.transpose(gradient, perm), places), inversePermutation(perm));
}
