/**
 * The order in which a model evaluates sequences that begin alike, and in which their cost is counted: lexicographic by tokens, so that
 * neighbours share the longest beginnings. Where a sequence was already evaluated, those that leave it last come first: the walk goes
 * up from its end, and no part of it is evaluated again.
 * @param held the sequence that was evaluated before
 * @returns indices of `sequences`
 */
export function prefixOrder(sequences: readonly Int32Array[], held: Int32Array = new Int32Array(0)): number[] {
  const shared = sequences.map((sequence) => sharedLength(sequence, held));
  const compare = (a: number, b: number) =>
    (shared[b] as number) - (shared[a] as number) ||
    compareTokens(sequences[a] as Int32Array, sequences[b] as Int32Array) ||
    a - b;
  return [...sequences.keys()].sort(compare);
}

/** How many tokens two sequences begin with in common. */
export function sharedLength(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a[shared] === b[shared]) shared++;
  return shared;
}

function compareTokens(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
