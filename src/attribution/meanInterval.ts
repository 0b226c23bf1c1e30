/** The mean of a sample and how well it is known. */
export interface EstimatedMean {
  readonly mean: number;
  /** 95 %, by Student's t. One number alone tells nothing of its spread: both ends are the number. */
  readonly interval: [number, number];
}

/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom. */
const quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228] as const;
const normalQuantile = 1.959964;

/** @param sample independent draws, not empty */
export function estimatedMean(sample: readonly number[]): EstimatedMean {
  const count = sample.length;
  const mean = sample.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, interval: [mean, mean] };
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(count - 1) * Math.sqrt(variance / count);
  return { mean, interval: [mean - half, mean + half] };
}

/** Beyond the table by Fisher's expansion about the normal quantile (Abramowitz & Stegun 26.7.5). */
function studentQuantile(freedom: number): number {
  const z = normalQuantile;
  const expansion = z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  return quantiles[freedom - 1] ?? expansion;
}
