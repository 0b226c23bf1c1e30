/** The mean of independent samples and how sure it is. */

/**
 * @param samples [samples][units], at least one
 * @returns means: [units]; intervals: 95 % interval of each mean by Student's t, absent where one sample says nothing of the spread
 */
export function meanOfSamples(samples: readonly ArrayLike<number>[]): {
  readonly means: Float32Array;
  readonly intervals?: [number, number][];
} {
  const count = samples.length;
  const units = samples[0]?.length ?? 0;
  const means = new Float64Array(units);
  for (const sample of samples)
    for (let unit = 0; unit < units; unit++) means[unit] = (means[unit] as number) + (sample[unit] as number) / count;
  if (count < 2) return { means: Float32Array.from(means) };
  const quantile = studentQuantile(count - 1);
  const intervals = Array.from(means, (mean, unit): [number, number] => {
    const squares = samples.reduce((sum, sample) => sum + ((sample[unit] as number) - mean) ** 2, 0);
    const half = quantile * Math.sqrt(squares / (count - 1) / count);
    return [mean - half, mean + half];
  });
  return { means: Float32Array.from(means), intervals };
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
