/** Numerical integration over a path from fraction 0 to 1, refined by doubling its steps. */

export type PathRule = 'midpoint' | 'trapezoid';

export interface PathPoint {
  readonly fraction: number;
  readonly weight: number;
}

/** `midpoint`: the middle of each of `steps` equal parts. `trapezoid`: their ends, 0 and 1 with half the weight. Weights add up to 1. */
export function pathPoints(rule: PathRule, steps: number): PathPoint[] {
  if (rule === 'midpoint') {
    return Array.from({ length: steps }, (_, step) => ({ fraction: (step + 0.5) / steps, weight: 1 / steps }));
  }
  return Array.from({ length: steps + 1 }, (_, step) => ({
    fraction: step / steps,
    weight: (step === 0 || step === steps ? 0.5 : 1) / steps,
  }));
}

/** How the integral with twice the steps comes of the one with `steps`: `keep` × that integral, and these points added. */
export function doubledPoints(rule: PathRule, steps: number): { readonly keep: number; readonly points: readonly PathPoint[] } {
  if (rule === 'midpoint') return { keep: 0, points: pathPoints(rule, 2 * steps) };
  return {
    keep: 0.5,
    points: Array.from({ length: steps }, (_, step) => ({ fraction: (2 * step + 1) / (2 * steps), weight: 1 / (2 * steps) })),
  };
}
