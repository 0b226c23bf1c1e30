import { solveSymmetric } from '../surrogate/regression.ts';
import type { WeightedCoalition } from './kernelSample.ts';

/** Ridge, as a share of the mean diagonal: too small to move a solution, enough to choose one where many fit. */
const ridgeShare = 1e-10;

/**
 * Weighted least squares under the constraint that the parts add up (Lundberg & Lee 2017, equations 2 and 5):
 *
 *   minimise Σ weight · ( v(S) − v(none) − Σ_{u ∈ S} φ_u )²   where   Σ φ_u = v(all) − v(none)
 *
 * Written as φ = equal shares + ψ with Σ ψ = 0 (one Lagrange multiplier), so the constraint holds to the last digit. Where
 * the coalitions leave φ open, ψ is the shortest that fits.
 * @param sample of at least one player
 * @param values [sample] what each coalition is worth
 * @returns φ, [players]
 */
export function constrainedRegression(
  sample: readonly WeightedCoalition[],
  values: ArrayLike<number>,
  { none, all, players }: { readonly none: number; readonly all: number; readonly players: number },
): Float64Array {
  const share = (all - none) / players;
  const matrix = Array.from({ length: players }, () => new Float64Array(players)); // Σ weight · z zᵀ
  const right = new Float64Array(players); // Σ weight · z · what equal shares leave unexplained
  sample.forEach(({ coalition, weight }, index) => {
    const members = [...coalition.keys()].filter((player) => coalition[player] === 1);
    const rest = (values[index] as number) - none - members.length * share;
    for (const a of members) {
      right[a] = (right[a] as number) + weight * rest;
      const row = matrix[a] as Float64Array;
      for (const b of members) row[b] = (row[b] as number) + weight;
    }
  });
  const trace = matrix.reduce((sum, row, player) => sum + (row[player] as number), 0);
  const ridge = trace > 0 ? (ridgeShare * trace) / players : 1;
  matrix.forEach((row, player) => {
    row[player] = (row[player] as number) + ridge;
  });
  const [free, ones] = solveSymmetric(matrix, [right, new Float64Array(players).fill(1)]) as [Float64Array, Float64Array];
  const multiplier = sum(free) / sum(ones);
  return free.map((value, player) => share + value - multiplier * (ones[player] as number));
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
