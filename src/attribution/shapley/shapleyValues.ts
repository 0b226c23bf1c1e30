/**
 * Shapley values from the whole table of a game (Shapley 1953):
 *
 *   φ_u = Σ over S without u of |S|! (U − |S| − 1)! / U! · (v(S ∪ u) − v(S))
 *
 * @param values [2^players]: `values[b]` is what the coalition is worth in which player u takes part where bit u of b is set
 * @returns [players], in the unit of the values; they add up to v(all) − v(none)
 */
export function shapleyValues(values: ArrayLike<number>, players: number): Float64Array {
  const weights = Float64Array.from({ length: players }, (_, size) => 1 / (players * binomial(players - 1, size)));
  return Float64Array.from({ length: players }, (_, player) => {
    const bit = 1 << player;
    let sum = 0;
    for (let without = 0; without < 1 << players; without++) {
      if ((without & bit) !== 0) continue;
      const gain = (values[without | bit] as number) - (values[without] as number);
      sum += (weights[bitCount(without)] as number) * gain;
    }
    return sum;
  });
}

/** Ways to choose `size` of `count`. */
export function binomial(count: number, size: number): number {
  let ways = 1;
  for (let step = 1; step <= size; step++) ways = (ways * (count - size + step)) / step;
  return ways;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
