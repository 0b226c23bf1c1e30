/** Spearman's rank correlation; ties share their mean rank. 0 where one side does not vary. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [centredRanks(a), centredRanks(b)];
  const product = (p: Float64Array, q: Float64Array) => p.reduce((sum, value, index) => sum + value * (q[index] as number), 0);
  const size = Math.sqrt(product(x, x) * product(y, y));
  return size === 0 ? 0 : product(x, y) / size;
}

function centredRanks(values: ArrayLike<number>): Float64Array {
  const all = Array.from(values);
  const mean = (all.length + 1) / 2;
  const sorted = all.toSorted((x, y) => x - y);
  return Float64Array.from(all, (value) => (sorted.indexOf(value) + 1 + sorted.lastIndexOf(value) + 1) / 2 - mean);
}
