import { studentQuantile } from './meanOfSamples.ts';

/** 95 % interval of the mean of independent samples, of which there are at least two (Student 1908). */
export function meanInterval(samples: readonly number[]): [number, number] {
  const count = samples.length;
  const mean = samples.reduce((sum, value) => sum + value, 0) / count;
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(count - 1) * Math.sqrt(variance / count);
  return [mean - half, mean + half];
}

/** 95 % interval of a share, `hits` of `count` independent trials (Wilson 1927); [0, 1] without trials. */
export function shareInterval(hits: number, count: number): [number, number] {
  if (count === 0) return [0, 1];
  const z = 1.959964;
  const share = hits / count;
  const centre = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half = (z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))) / (1 + z ** 2 / count);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
