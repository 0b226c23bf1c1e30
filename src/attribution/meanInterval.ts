import { studentQuantile } from './meanOfSamples.ts';

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
