/** What is said of a gradient before it runs: how much memory it takes, and how it is computed. */
import type { GradientPlan } from '../../model/gradient.ts';

/** For a status bar: `gradient (0.6 GB)`. */
export function planPhase({ peakBytes }: GradientPlan): string {
  return `gradient (${(peakBytes / 1e9).toFixed(1)} GB)`;
}

/** One line for a terminal or a log. */
export function planDetail({ peakBytes, limitBytes, segments, precision, kernel }: GradientPlan): string {
  const pieces = segments === 1 ? 'in one piece' : `in ${segments} segments`;
  const arithmetic = precision === 'dequantised' ? 'dequantised' : 'as served';
  return `gradient: needs ${megabytes(peakBytes)} MB beside the model, ${megabytes(limitBytes)} MB allowed; ${pieces}, ${arithmetic}, ${kernel} kernel`;
}

function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toLocaleString('en-US');
}
