/** What is known of a probability from how often something happened. */

/** The 95 % quantile of the normal distribution, both sides. */
const z = 1.959963984540054;

/** Wilson's 95 % score interval (Wilson 1927) of `hits` among `count`. */
export function wilsonInterval(hits: number, count: number): [number, number] {
  if (count === 0) return [0, 1];
  const share = hits / count;
  const scale = 1 + z ** 2 / count;
  const middle = share + z ** 2 / (2 * count);
  const reach = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  // At either end the bound is exact, and rounding must not move it.
  return [hits === 0 ? 0 : (middle - reach) / scale, hits === count ? 1 : (middle + reach) / scale];
}

/** The farthest probabilities below and above `hits` / `count` with count · KL(share ‖ probability) ≤ `level`. */
export function divergenceBounds(hits: number, count: number, level: number): [number, number] {
  if (count === 0) return [0, 1];
  const share = hits / count;
  return [farthest(share, 0, level / count), farthest(share, 1, level / count)];
}

/** Bisection between `share` and `end` for KL(share ‖ ·) = `limit`. */
function farthest(share: number, end: number, limit: number): number {
  let inside = share;
  let outside = end;
  for (let step = 0; step < 40; step++) {
    const middle = (inside + outside) / 2;
    if (bernoulliDivergence(share, middle) <= limit) inside = middle;
    else outside = middle;
  }
  return inside;
}

/** KL of two coins, nats. */
export function bernoulliDivergence(p: number, q: number): number {
  const term = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p, q) + term(1 - p, 1 - q);
}
