/**
 * A small deterministic generator: sfc32 (Chris Doty-Humphrey, PractRand), seeded through SplitMix32 so that neighbouring seeds
 * give unrelated streams. Same seed, same numbers, on every machine. Not for secrets.
 * Returns a function that gives numbers in [0, 1) with 53 bits.
 */
export function randomNumbers(seed: number): () => number {
  // All 53 bits of the seed count, also for large and fractional ones.
  const [high = 0, low = 0] = new Uint32Array(new Float64Array([seed]).buffer);
  const mix = splitMix(high ^ Math.imul(low, 0x9e37_79b9));
  let a = mix();
  let b = mix();
  let c = mix();
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

function splitMix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    return mixed ^ (mixed >>> 15);
  };
}
