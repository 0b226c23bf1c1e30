/** Every target on logits: its derivative against central differences of its value, in doubles. */
import { expect, test } from 'vitest';
import { type LogitTarget, rowsOf, seedOf } from '../../src/model/targetSeed.ts';

const vocabulary = 12;
/** Rows of logits at positions 0 to 3: random, the same at every run, between −6 and 6, in steps of 2⁻¹⁰. */
const random = randomNumbers(4);
const rows = [0, 1, 2, 3].map(() =>
  Float32Array.from({ length: vocabulary }, () => Math.round(12 * 1024 * (random() - 0.5)) / 1024),
);
const reference = Float32Array.from({ length: vocabulary }, (_, id) => 1 + Math.cos(id) ** 2);
const mass = reference.reduce((sum, share) => sum + share, 0);
const distribution = reference.map((share) => share / mass);
const weights = Float32Array.from({ length: vocabulary }, (_, id) => Math.sin(5 * id));
const terms = [
  { position: 1, id: 3, weight: 1 },
  { position: 1, id: 5, weight: -0.5 },
  { position: 3, id: 0, weight: 2 },
];

const targets: readonly LogitTarget[] = [
  { kind: 'logit', terms },
  { kind: 'logprob', terms },
  { kind: 'probability', terms },
  { kind: 'joint-probability', terms },
  { kind: 'entropy', position: 2 },
  { kind: 'kl', position: 2, reference: distribution, direction: 'to-reference' },
  { kind: 'kl', position: 2, reference: distribution, direction: 'from-reference' },
  {
    kind: 'linear',
    rows: [
      { position: 0, weights },
      { position: 2, weights: weights.map((weight) => 1 - weight) },
    ],
  },
];

test.each(targets)('$kind', (target) => {
  const { rows: seeds } = seedOf(target, (position) => rows[position] as Float32Array);
  expect([...seeds.keys()].sort()).toEqual(rowsOf(target));
  for (const [position, seed] of seeds) {
    for (let id = 0; id < vocabulary; id++) {
      // Steps a float holds exactly, so that only the value's own arithmetic is measured.
      const step = 2 ** -8;
      const moved = (by: number) =>
        seedOf(target, (at) =>
          at === position
            ? Float32Array.from(rows[at] as Float32Array, (logit, index) => Math.fround(logit) + (index === id ? by : 0))
            : (rows[at] as Float32Array),
        ).value;
      const slope = (moved(step) - moved(-step)) / (2 * step);
      expect(Math.abs(slope - (seed[id] as number)), `${position} ${id}`).toBeLessThan(2e-4 * Math.max(1, Math.abs(slope)));
    }
  }
});

test('values', () => {
  const uniform = () => new Float32Array(vocabulary);
  const share = 1 / vocabulary;
  const term = [{ position: 0, id: 4, weight: 1 }];
  expect(seedOf({ kind: 'entropy', position: 0 }, uniform).value).toBeCloseTo(Math.log(vocabulary), 12);
  expect(seedOf({ kind: 'probability', terms: term }, uniform).value).toBeCloseTo(share, 12);
  expect(seedOf({ kind: 'logprob', terms: term }, uniform).value).toBeCloseTo(Math.log(share), 12);
  expect(seedOf({ kind: 'joint-probability', terms }, (at) => rows[at] as Float32Array).value).toBeCloseTo(
    Math.exp(seedOf({ kind: 'logprob', terms }, (at) => rows[at] as Float32Array).value),
    12,
  );
  const even = new Float32Array(vocabulary).fill(share);
  for (const direction of ['to-reference', 'from-reference'] as const) {
    expect(seedOf({ kind: 'kl', position: 0, reference: even, direction }, uniform).value).toBeCloseTo(0, 6);
  }
});

test('extreme logits give finite numbers', () => {
  const extreme = () => Float32Array.from({ length: vocabulary }, (_, id) => (id === 2 ? 1e4 : -1e4));
  for (const target of targets) {
    const { value, rows: seeds } = seedOf(target, extreme);
    expect(Number.isFinite(value), target.kind).toBe(true);
    for (const seed of seeds.values()) expect(seed.every(Number.isFinite), target.kind).toBe(true);
  }
});

test('extreme logits: what the numbers are', () => {
  const extreme = () => Float32Array.from({ length: vocabulary }, (_, id) => (id === 2 ? 1e4 : -1e4));
  const seed = (target: LogitTarget) => {
    const { value, rows: seeds } = seedOf(target, extreme);
    return { value, row: [...(seeds.get(0) ?? [])].map((entry) => entry + 0) }; // −0 is 0
  };
  const term = (id: number) => [{ position: 0, id, weight: 1 }];
  const one = (id: number, height: number) => Array.from({ length: vocabulary }, (_, at) => (at === id ? height : 0));
  const zeros = one(0, 0);
  expect(seed({ kind: 'logprob', terms: term(2) })).toEqual({ value: 0, row: zeros });
  expect(seed({ kind: 'logprob', terms: term(5) })).toEqual({
    value: -2e4,
    row: one(5, 1).map((entry, id) => (id === 2 ? -1 : entry)),
  });
  for (const kind of ['probability', 'joint-probability'] as const) {
    expect(seed({ kind, terms: term(2) })).toEqual({ value: 1, row: zeros });
    expect(seed({ kind, terms: term(5) })).toEqual({ value: 0, row: zeros });
  }
  const entropy = seed({ kind: 'entropy', position: 0 });
  expect([entropy.value + 0, entropy.row]).toEqual([0, zeros]);
  // All mass on one token: KL(p ‖ r) = −log r of it; KL(r ‖ p) takes 2e4 for each part of r elsewhere.
  const own = distribution[2] as number;
  const divergence = (direction: 'to-reference' | 'from-reference') =>
    seed({ kind: 'kl', position: 0, reference: distribution, direction });
  expect(divergence('to-reference').value).toBeCloseTo(-Math.log(own), 9);
  expect(divergence('to-reference').row).toEqual(zeros);
  const surprise = distribution.reduce((sum, share) => sum + share * Math.log(share), 0) + 2e4 * (1 - own);
  expect(Math.abs(divergence('from-reference').value - surprise) / surprise).toBeLessThan(1e-6);
});

test('entropy: a token that cannot be, logit −∞, counts nothing', () => {
  const possible = Float32Array.of(1, 2, 0);
  const { value, rows: seeds } = seedOf({ kind: 'entropy', position: 0 }, () =>
    Float32Array.of(...possible, Number.NEGATIVE_INFINITY),
  );
  const without = seedOf({ kind: 'entropy', position: 0 }, () => possible);
  expect(value).toBe(without.value);
  expect([...(seeds.get(0) ?? [])].map((entry) => entry + 0)).toEqual([...(without.rows.get(0) ?? []), 0]);
});

/** Numbers from 0 to 1: a linear congruential generator. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
