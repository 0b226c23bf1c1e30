/** The 97.5 % quantile of the normal distribution. */
const z = 1.959963984540054;

export interface Auroc {
  /** P(score of a positive > score of a negative), ties counting half; 0.5 = the scores tell nothing. */
  readonly area: number;
  /** 95 % */
  readonly interval: readonly [number, number];
  readonly positives: number;
  readonly negatives: number;
}

/**
 * Area under the receiver operating characteristic (the Mann–Whitney statistic). The interval inverts the standard error of Hanley &
 * McNeil 1982 (the areas that are not 1.96 of their own standard errors away), so that it does not close at 0 and 1.
 * @param scores one per case @returns null where one of the two kinds is missing
 */
export function auroc(scores: readonly number[], isPositive: readonly boolean[]): Auroc | null {
  const positives = scores.filter((_score, index) => isPositive[index] === true);
  const negatives = scores.filter((_score, index) => isPositive[index] !== true);
  if (positives.length === 0 || negatives.length === 0) return null;
  let wins = 0;
  for (const positive of positives) {
    for (const negative of negatives) wins += positive > negative ? 1 : positive === negative ? 0.5 : 0;
  }
  const area = wins / (positives.length * negatives.length);
  const isNear = (other: number) => Math.abs(area - other) <= z * areaError(other, positives.length, negatives.length);
  return {
    area,
    interval: [farthest(area, 0, isNear), farthest(area, 1, isNear)],
    positives: positives.length,
    negatives: negatives.length,
  };
}

/** Standard error of an area (Hanley & McNeil 1982, equation 1). */
export function areaError(area: number, positives: number, negatives: number): number {
  const first = area / (2 - area);
  const second = (2 * area ** 2) / (1 + area);
  const variance = area * (1 - area) + (positives - 1) * (first - area ** 2) + (negatives - 1) * (second - area ** 2);
  return Math.sqrt(Math.max(0, variance) / (positives * negatives));
}

/** The last place between `from` and `end` that is still near, by bisection. */
function farthest(from: number, end: number, isNear: (place: number) => boolean): number {
  let [inside, outside] = [from, end];
  for (let step = 0; step < 40; step++) {
    const middle = (inside + outside) / 2;
    if (isNear(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}
