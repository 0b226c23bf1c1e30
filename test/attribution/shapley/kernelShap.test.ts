import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { constrainedRegression } from '../../../src/attribution/shapley/constrainedRegression.ts';
import { exactShapley } from '../../../src/attribution/shapley/exactShapley.ts';
import { allCoalitions } from '../../../src/attribution/perturbation/coalitions.ts';
import { kernelSample } from '../../../src/attribution/shapley/kernelSample.ts';
import { kernelShap } from '../../../src/attribution/shapley/kernelShap.ts';
import { maximumDifference } from '../../llama/golden.ts';
import { inputFor, type InputParts } from '../attributionInput.ts';
import { createLinearModel } from '../linearModel.ts';
import { createTableModel, tableInput } from '../tableModel.ts';
import { meanGains, orders, tangled } from './permutationOracle.ts';

const model = createLinearModel();
const text = 'The cat sat on the mat';
const sizeOf = (coalition: Uint8Array) => coalition.reduce((sum, present) => sum + present, 0);
const boolean = (coalition: Uint8Array) => [...coalition].map((present) => present === 1);

describe('which coalitions', () => {
  test.each([2, 3, 4, 5, 6, 7])('all of %i players, weighted by the kernel', (players) => {
    const sample = kernelSample(players, 2 ** players - 2, seededRandom(1));
    expect(new Set(sample.map(({ coalition }) => coalition.join(''))).size).toBe(2 ** players - 2);
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    const kernel = (size: number) =>
      (players - 1) / ((factorial(players) / factorial(size) / factorial(players - size)) * size * (players - size));
    const [first] = sample;
    const scale = (first?.weight ?? 0) / kernel(1);
    for (const { coalition, weight } of sample) expect(weight).toBeCloseTo(scale * kernel(sizeOf(coalition)), 12);
    expect(sample.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
  });

  test.each([
    [20, 10, 0],
    [20, 100, 0],
    [20, 421, 1],
    [20, 2000, 2],
    [64, 128, 0],
    [300, 128, 0],
  ])('%i players, %i coalitions: distinct, in pairs, %i sizes whole', (players, budget, whole) => {
    const sample = kernelSample(players, budget, seededRandom(5));
    const keys = sample.map(({ coalition }) => coalition.join(''));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeLessThanOrEqual(budget);
    expect(keys.length).toBeGreaterThan(budget - 3);
    for (const { coalition } of sample) {
      expect(keys).toContain(coalition.map((present) => 1 - present).join(''));
      expect(sizeOf(coalition) % players).not.toBe(0);
    }
    const ofSize = (size: number) => sample.filter(({ coalition }) => sizeOf(coalition) === size).length;
    const ways = [1, players, (players * (players - 1)) / 2, (players * (players - 1) * (players - 2)) / 6];
    const isWhole = [1, 2, 3].map((size) => ofSize(size) === ways[size] && ofSize(players - size) === ways[size]);
    expect(isWhole).toEqual([1, 2, 3].map((size) => size <= whole));
    expect(sample.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(kernelSample(players, budget, seededRandom(5))).toEqual(sample);
  });
});

test('with all coalitions of a synthetic game, the mean over all orders', () => {
  const sample = kernelSample(6, 62, seededRandom(1));
  const values = sample.map(({ coalition }) => tangled(boolean(coalition)));
  const [none, all] = [tangled(Array<boolean>(6).fill(false)), tangled(Array<boolean>(6).fill(true))];
  const found = constrainedRegression(sample, values, { none, all, players: 6 });
  expect(maximumDifference(found, meanGains(6, orders([0, 1, 2, 3, 4, 5]), tangled))).toBeLessThan(1e-8);
});

test('an additive game is found from a sample', () => {
  const own = Array.from({ length: 30 }, (_, player) => Math.sin(player * 7));
  const worth = (coalition: Uint8Array) => 2 + own.reduce((sum, value, player) => sum + value * (coalition[player] ?? 0), 0);
  const sample = kernelSample(30, 128, seededRandom(1));
  const all = worth(new Uint8Array(30).fill(1));
  const found = constrainedRegression(
    sample,
    sample.map(({ coalition }) => worth(coalition)),
    { none: 2, all, players: 30 },
  );
  expect(maximumDifference(found, own)).toBeLessThan(1e-7);
});

describe('with all coalitions equals the exact values', () => {
  const cases: [name: string, parts: InputParts][] = [
    ['log-probability', { text }],
    ['probability, neutral token', { text, score: 'prob', parameters: { replacement: 'neutral' } }],
    ['hidden units', { text, kinds: ['special', 'text', 'text', 'template', 'text', 'text'] }],
    ['a response', { text, spec: { kind: 'response' }, response: [9, 12, 40] }],
    [
      'two units',
      {
        text,
        groups: [
          [0, 1, 2],
          [3, 4, 5],
        ],
      },
    ],
    ['one unit', { text, groups: [[0, 1, 2, 3, 4, 5]] }],
    ['no unit', { text, groups: [[0, 1, 2, 3, 4, 5]], kinds: ['template'] }],
    ['one token', { ids: [40] }],
  ];
  test.each(cases)('%s', async (_name, parts) => {
    const input = await inputFor(model, parts);
    const exact = await exactShapley.attribute(input);
    const found = await kernelShap.attribute(input);
    expect(maximumDifference(found.scores, exact.scores)).toBeLessThan(1e-5);
    expect(found.completeness?.gap).toBeCloseTo(0, 5);
    expect(found.warnings).toEqual([]);
  });
});

test('never the same prompt twice; adds up and tells the truth about few samples', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => 10 + ((index * 7) % 90));
  for (const [samples, warned] of [
    [128, []],
    [30, ['W_FEW_SAMPLES']],
    [2, ['W_FEW_SAMPLES']],
  ] as const) {
    const counting = createLinearModel();
    const input = await inputFor(counting, { ids, parameters: { samples } });
    const { scores, completeness, warnings } = await kernelShap.attribute(input);
    const prompts = counting.calls.variants.map((prompt) => prompt.join(' '));
    expect(new Set(prompts).size).toBe(prompts.length);
    expect(prompts.length).toBeLessThanOrEqual(samples + 2);
    expect(scores.every(Number.isFinite)).toBe(true);
    expect(completeness?.gap).toBeCloseTo(0, 4);
    expect(warnings.map(({ code }) => code)).toEqual(warned);
  }
});

test('coalitions that leave the same text are asked once', async () => {
  const counting = createLinearModel();
  await kernelShap.attribute(await inputFor(counting, { ids: [40, 40, 40, 40] }));
  // What is left is one to four times the same token, or nothing.
  expect(counting.calls.variants).toHaveLength(5);
  expect(allCoalitions(4)).toHaveLength(16);
});

test('the seed decides, and nothing else', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => 10 + index);
  const scoresOf = async (seed: number) =>
    (await kernelShap.attribute(await inputFor(model, { ids, seed, parameters: { samples: 64 } }))).scores;
  expect(await scoresOf(3)).toEqual(await scoresOf(3));
  expect(await scoresOf(3)).not.toEqual(await scoresOf(4));
});

test('cancelled', async () => {
  const input = await inputFor(model, { text });
  await expect(kernelShap.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});

test.each([
  [3, 100],
  [6, 62],
  [6, 200],
  [12, 128],
  [12, 500],
])('%i units, %i samples: no prompt is put to the model twice, and no more than were asked for', async (count, samples) => {
  const groups = Array.from({ length: count }, (_, unit) => [unit]);
  const table = createTableModel(groups, (bits) => Math.sin(bits));
  const input = await tableInput(table, groups, { parameters: { samples, replacement: 'drop' }, seed: 3 });
  const { completeness, forwardPasses } = await kernelShap.attribute(input);
  const asked = table.asked.map((tokens) => tokens.join(' '));
  expect(new Set(asked).size).toBe(asked.length);
  // The coalitions asked for, of those there are, and the two ends.
  const proper = 2 ** count - 2;
  expect(asked.length).toBeLessThanOrEqual(Math.min(samples, proper) + 2);
  expect(asked.length).toBeGreaterThanOrEqual(Math.min(samples - 2, proper) + 2);
  expect(completeness?.steps).toBe(asked.length);
  expect(forwardPasses).toBeLessThan(asked.length);
});
