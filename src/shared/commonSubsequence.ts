/**
 * Longest common subsequence of two lists: pairs [index in a, index in b], ascending in both. Hirschberg 1975 (CACM 18, algorithm C):
 * time O(n·m) after equal ends are cut off, space O(n + m).
 */
export function commonSubsequence(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  collect({ a, b, pairs }, 0, a.length, 0, b.length);
  return pairs;
}

interface Search {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly pairs: [number, number][];
}

/** Adds the pairs of a[fromA…toA) and b[fromB…toB), in order. */
function collect(search: Search, fromA: number, toA: number, fromB: number, toB: number): void {
  const { a, b, pairs } = search;
  while (fromA < toA && fromB < toB && a[fromA] === b[fromB]) pairs.push([fromA++, fromB++]);
  let same = 0;
  while (fromA < toA - same && fromB < toB - same && a[toA - 1 - same] === b[toB - 1 - same]) same += 1;
  const [endA, endB] = [toA - same, toB - same];
  if (endA - fromA === 1) {
    const found = b.slice(fromB, endB).indexOf(a[fromA] as string);
    if (found >= 0) pairs.push([fromA, fromB + found]);
  } else if (endA > fromA && endB > fromB) {
    const middle = (fromA + endA) >> 1;
    const before = lengths(a.slice(fromA, middle), b.slice(fromB, endB));
    const after = lengths(a.slice(middle, endA).reverse(), b.slice(fromB, endB).reverse());
    let best = 0;
    for (let cut = 1; cut <= endB - fromB; cut++) if (sumAt(before, after, cut) > sumAt(before, after, best)) best = cut;
    collect(search, fromA, middle, fromB, fromB + best);
    collect(search, middle, endA, fromB + best, endB);
  }
  for (let at = 0; at < same; at++) pairs.push([endA + at, endB + at]);
}

function sumAt(before: Uint32Array, after: Uint32Array, cut: number): number {
  return (before[cut] ?? 0) + (after[after.length - 1 - cut] ?? 0);
}

/** Length of the longest common subsequence of `a` and each beginning of `b`: entry j is that of b[0…j). */
function lengths(a: readonly string[], b: readonly string[]): Uint32Array {
  let row = new Uint32Array(b.length + 1);
  for (const item of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      next[j] = item === b[j - 1] ? (row[j - 1] ?? 0) + 1 : Math.max(row[j] ?? 0, next[j - 1] ?? 0);
    }
    row = next;
  }
  return row;
}
