/**
 * P(at least `hits` of `drawn` items are among the `marked` of `total`), drawn without putting back: what chance alone does for the
 * overlap of two lists.
 */
export function chanceOfOverlap(total: number, marked: number, drawn: number, hits: number): number {
  let sum = 0;
  for (let common = hits; common <= Math.min(marked, drawn); common++) {
    if (drawn - common > total - marked) continue;
    sum += Math.exp(logChoose(marked, common) + logChoose(total - marked, drawn - common) - logChoose(total, drawn));
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log(n - k + i) - Math.log(i);
  return sum;
}
