/** How alike heads look at a prompt, and which do the same. */
import { lastSeen, type Sight } from './patternStatistics.ts';

/** Numbers of a pattern that are compared. */
const signatureLength = 8192;

/**
 * The part of a pattern [T, T] that heads are compared by, of length 1: rows of queries spread evenly over the prompt, what a query
 * cannot see left out, and the first token too: as a sink it would make most heads look the same. Long prompts are sampled, so that
 * 1,000 heads can be compared.
 */
export function patternSignature(pattern: Float32Array, sight: Sight = 'back'): Float32Array {
  const size = Math.sqrt(pattern.length);
  const rows = Math.max(1, Math.min(size - 1, Math.floor((2 * signatureLength) / size)));
  const values: number[] = [];
  for (let index = 0; index < rows; index++) {
    const query = size - 1 - Math.floor((index * (size - 1)) / rows);
    for (let key = 1; key <= lastSeen(query, size, sight); key++) values.push(pattern[query * size + key] as number);
  }
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(values, (value) => (length === 0 ? 0 : value / length));
}

/** Cosines between signatures, [n, n]. */
export function similarities(signatures: readonly Float32Array[]): Float32Array {
  const n = signatures.length;
  const cosines = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    const a = signatures[i] as Float32Array;
    for (let j = 0; j <= i; j++) {
      const b = signatures[j] as Float32Array;
      let sum = 0;
      for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
      cosines[i * n + j] = sum;
      cosines[j * n + i] = sum;
    }
  }
  return cosines;
}

/**
 * Groups of heads whose mean similarity is at least `threshold`: agglomerative clustering with average linkage.
 * @param cosines [n, n]
 * @returns the groups of two and more, largest first; members ascending
 */
export function clusters(cosines: Float32Array, threshold: number): number[][] {
  const n = Math.sqrt(cosines.length);
  const between = Float64Array.from(cosines);
  const members: (number[] | null)[] = Array.from({ length: n }, (_, index) => [index]);
  const nearest = new Int32Array(n).fill(-1);
  const at = (i: number, j: number) => between[i * n + j] as number;
  const findNearest = (i: number) => {
    let best = -1;
    for (let j = 0; j < n; j++) if (j !== i && members[j] !== null && (best < 0 || at(i, j) > at(i, best))) best = j;
    nearest[i] = best;
  };
  for (let i = 0; i < n; i++) findNearest(i);
  for (;;) {
    let [a, b] = [-1, -1];
    for (let i = 0; i < n; i++) {
      const j = nearest[i] as number;
      if (members[i] !== null && j >= 0 && (a < 0 || at(i, j) > at(a, b))) [a, b] = [i, j];
    }
    if (a < 0 || at(a, b) < threshold) break;
    const [first, second] = [members[a] ?? [], members[b] ?? []];
    const share = first.length / (first.length + second.length);
    for (let k = 0; k < n; k++) {
      const mean = share * at(a, k) + (1 - share) * at(b, k);
      between[a * n + k] = mean;
      between[k * n + a] = mean;
    }
    members[a] = [...first, ...second].sort((x, y) => x - y);
    members[b] = null;
    for (let i = 0; i < n; i++) {
      if (members[i] !== null && (i === a || nearest[i] === a || nearest[i] === b)) findNearest(i);
    }
  }
  return members
    .filter((group): group is number[] => group !== null && group.length > 1)
    .sort((a, b) => b.length - a.length || (a[0] as number) - (b[0] as number));
}
