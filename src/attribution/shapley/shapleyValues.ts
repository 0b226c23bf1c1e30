/**
 * Shapley values from a table of all 2^size coalitions (Shapley 1953): player p gets
 * Σ_{S ∌ p} |S|! (size − |S| − 1)! / size! · (v(S ∪ p) − v(S)).
 * @param values [2^size]; bit p of the index says whether player p is there
 */
export function shapleyValues(values: ArrayLike<number>, size: number): Float64Array {
  const shares = shapleyShares(size);
  const result = new Float64Array(size);
  for (let bits = 0; bits < 2 ** size; bits++) {
    const share = shares[bitCount(bits)] as number;
    for (let player = 0; player < size; player++) {
      if ((bits >>> player) & 1) continue;
      const gain = (values[bits | (1 << player)] as number) - (values[bits] as number);
      result[player] = (result[player] as number) + share * gain;
    }
  }
  return result;
}

/** Weight of a coalition without the player, by how many are in it: |S|! (size − |S| − 1)! / size! */
function shapleyShares(size: number): Float64Array {
  const shares = new Float64Array(Math.max(1, size));
  // 1/size for the empty coalition; each further member multiplies by |S| / (size − |S|).
  shares[0] = 1 / size;
  for (let members = 1; members < size; members++) {
    shares[members] = ((shares[members - 1] as number) * members) / (size - members);
  }
  return shares;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest > 0; rest >>>= 1) count += rest & 1;
  return count;
}
