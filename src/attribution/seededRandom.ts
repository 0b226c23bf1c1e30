/** A source of numbers in [0, 1) that depends on its seed alone (mulberry32: 32 bits of state, good enough for controls). */
export function seededRandom(seed: number): () => number {
  let state = Math.trunc(seed) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The seed of a stream of its own: two purposes that are given the same seed draw numbers that have nothing in common.
 * FNV-1a (Fowler, Noll & Vo) of the purpose, mixed with the seed.
 */
export function seedFor(purpose: string, seed: number): number {
  let hash = 0x811c9dc5 ^ (Math.trunc(seed) >>> 0);
  for (let index = 0; index < purpose.length; index++) hash = Math.imul(hash ^ purpose.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** A permutation of `items`, every one equally likely (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

/** One draw from the normal distribution with mean 0 and variance 1 (Box & Muller 1958). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
