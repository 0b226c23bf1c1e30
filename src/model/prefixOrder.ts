/**
 * The order in which a model evaluates sequences that begin alike, and in which their cost is counted: lexicographic by tokens, so that
 * neighbours share the longest beginnings. @returns indices of `sequences`
 */
export function prefixOrder(sequences: readonly Int32Array[]): number[] {
  return [...sequences.keys()].sort((a, b) => compareTokens(sequences[a] as Int32Array, sequences[b] as Int32Array) || a - b);
}

function compareTokens(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
