/** The mean of a sample and how well it is known. */
export interface EstimatedMean {
  readonly mean: number;
  /** 95 %, by Student's t. One number alone tells nothing of its spread: both ends are the number. */
  readonly interval: [number, number];
}

/** @param sample independent draws, not empty */
export function estimatedMean(sample: readonly number[]): EstimatedMean {
  const count = sample.length;
  const mean = sample.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, interval: [mean, mean] };
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(count - 1) * Math.sqrt(variance / count);
  return { mean, interval: [mean - half, mean + half] };
}

/**
 * @param samples [samples][units], at least one
 * @returns means: [units]; intervals: that of each mean, absent where one sample says nothing of the spread
 */
export function meanOfSamples(samples: readonly ArrayLike<number>[]): {
  readonly means: Float32Array;
  readonly intervals?: [number, number][];
} {
  const estimates = Array.from(samples[0] ?? [], (_, unit) => estimatedMean(samples.map((sample) => sample[unit] as number)));
  const means = Float32Array.from(estimates, ({ mean }) => mean);
  return samples.length < 2 ? { means } : { means, intervals: estimates.map(({ interval }) => interval) };
}

/** 97.5 % quantiles of Student's t for 1, 2, … degrees of freedom. */
const smallQuantiles = [12.706, 4.303, 3.182, 2.776, 2.571];

/** The same for any number of degrees: the first terms of its expansion around the normal quantile (Abramowitz & Stegun 26.7.5). */
export function studentQuantile(degrees: number): number {
  const z = 1.959964;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return smallQuantiles[degrees - 1] ?? z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}
