/** Every target on logits: its derivative against central differences of its value, in doubles. */
import { expect, test } from 'vitest';
import { type LogitTarget, rowsOf, seedOf } from '../../../src/llama/gradient/targetSeed.ts';

const vocabulary = 12;
/** Rows of logits at positions 0 to 3; no row is special. */
const rows = [0, 1, 2, 3].map((position) =>
  Float32Array.from({ length: vocabulary }, (_, id) => 2 * Math.sin(3.1 * id + 7 * position) + 0.3 * id),
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
