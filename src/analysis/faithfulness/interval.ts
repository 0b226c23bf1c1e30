import { seededRandom } from '../../attribution/seededRandom.ts';

const draws = 2000;

/**
 * 95 % interval of `value` minus the mean of random rankings: percentiles of a bootstrap over the random rankings.
 * It says how well the mean is known, not how far single random rankings scatter; `countAsGood` says that.
 * @param randomValues from independent random rankings, not empty
 */
export function gainInterval(value: number, randomValues: readonly number[], seed: number): [number, number] {
  const [low, high] = meanInterval(randomValues, seed);
  return [value - high, value - low];
}

/** 95 % interval of a mean: percentiles of a bootstrap. @param values not empty */
export function meanInterval(values: readonly number[], seed: number): [number, number] {
  const random = seededRandom(seed);
  const means = Array.from({ length: draws }, () => {
    let sum = 0;
    for (let index = 0; index < values.length; index++) sum += values[Math.floor(random() * values.length)] as number;
    return sum / values.length;
  }).sort((a, b) => a - b);
  return [means[Math.floor(draws * 0.025)] as number, means[Math.ceil(draws * 0.975) - 1] as number];
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
