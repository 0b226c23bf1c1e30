/**
 * Signed scores to a fixed palette of 11 steps, −5 … 0 … +5, so that an editor needs 11 decoration types and no more.
 * Step 0 is unmarked. The scale is symmetric: `maximum` is the largest magnitude that is drawn.
 */
export const paletteSteps = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5] as const;
export type PaletteStep = (typeof paletteSteps)[number];

/** A non-zero score below a tenth of the maximum stays unmarked; NaN is unmarked. */
export function paletteStep(score: number, maximum: number): PaletteStep {
  if (!Number.isFinite(score) || !(maximum > 0)) return 0;
  const share = Math.min(1, Math.abs(score) / maximum);
  const magnitude = share < 0.1 ? 0 : Math.min(5, Math.ceil(share * 5));
  return (Math.sign(score) * magnitude + 0) as PaletteStep;
}
