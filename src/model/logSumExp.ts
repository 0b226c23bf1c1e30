/** log Σ exp(x), shifted by the maximum so that nothing overflows; nats. */
export function logSumExp(row: Float32Array): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of row) if (value > maximum) maximum = value;
  if (maximum === Number.NEGATIVE_INFINITY) return Number.isNaN(row[0] ?? 0) ? Number.NaN : maximum;
  let sum = 0;
  for (const value of row) sum += Math.exp(value - maximum);
  return maximum + Math.log(sum);
}
