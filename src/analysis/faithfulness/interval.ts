import { normal, seededRandom } from '../../attribution/seededRandom.ts';

const draws = 2000;

/**
 * 95 % interval of (value − a random ranking), by a smoothed bootstrap over the random rankings: each draw takes the mean of a
 * resample and adds the deviation of one more ranking, blurred by a normal kernel because there are few. It is an interval for
 * one ranking against another, not for a mean: a ranking that is itself random has 0 inside 95 times in 100.
 * @param randomValues at least two, from independent random rankings
 */
export function gainInterval(value: number, randomValues: readonly number[], seed: number): [number, number] {
  const count = randomValues.length;
  const mean = meanOf(randomValues);
  const variance = randomValues.reduce((sum, other) => sum + (other - mean) ** 2, 0) / Math.max(1, count - 1);
  // Deviations from their own mean are too small by this factor.
  const inflation = Math.sqrt(count / Math.max(1, count - 1));
  const kernel = Math.sqrt(variance) * count ** -0.2;
  const random = seededRandom(seed);
  const pick = () => randomValues[Math.floor(random() * count)] as number;
  const gains = Array.from({ length: draws }, () => {
    let resampled = 0;
    for (let index = 0; index < count; index++) resampled += pick() / count;
    return value - resampled - (pick() - mean) * inflation - kernel * normal(random);
  }).sort((a, b) => a - b);
  return [gains[Math.floor(draws * 0.025)] as number, gains[Math.ceil(draws * 0.975) - 1] as number];
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
