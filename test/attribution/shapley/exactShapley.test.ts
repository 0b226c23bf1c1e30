import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exactShapley } from '../../../src/attribution/shapley/exactShapley.ts';
import { shapleyValues } from '../../../src/attribution/shapley/shapleyValues.ts';
import { goldenFile, maximumDifference } from '../../llama/golden.ts';
import { inputFor, type InputParts } from '../attributionInput.ts';
import { createLinearModel, idOf, weight } from '../linearModel.ts';
import { meanGains, orders, tangled, worthOf } from './permutationOracle.ts';

const model = createLinearModel();
const text = 'The cat sat on the mat';
const goldenOf = <T>(...parts: string[]): T => JSON.parse(readFileSync(goldenFile(...parts), 'utf8')) as T;

interface GoldenGames {
  readonly units: readonly number[][];
  readonly modes: Record<string, Record<string, { readonly phi: number[]; readonly values: number[] }>>;
}

describe('from the whole table of a game', () => {
  test.each(['fact', 'ioi'])('%s: every game of the reference', (name) => {
    const { units, modes } = goldenOf<GoldenGames>(name, 'shapley.json');
    const games = Object.values(modes).flatMap((measures) => Object.values(measures));
    expect(games.length).toBeGreaterThanOrEqual(6);
    // Stored with seven digits.
    for (const { phi, values } of games) {
      expect(maximumDifference(shapleyValues(values, units.length), phi)).toBeLessThan(1e-5);
    }
  });

  test('passages of a retrieval prompt', () => {
    const { values, shapley } = goldenOf<{ values: number[]; shapley: number[] }>('rag', 'segments.json');
    expect(maximumDifference(shapleyValues(values, 3), shapley)).toBeLessThan(1e-5);
  });

  test('a synthetic game, by all orders', () => {
    const table = Array.from({ length: 2 ** 6 }, (_, bits) =>
      tangled(Array.from({ length: 6 }, (_p, player) => ((bits >> player) & 1) === 1)),
    );
    const oracle = meanGains(6, orders([0, 1, 2, 3, 4, 5]), tangled);
    expect(maximumDifference(shapleyValues(table, 6), oracle)).toBeLessThan(1e-12);
  });

  test('nobody plays, one plays', () => {
    expect([...shapleyValues([3], 0)]).toEqual([]);
    expect([...shapleyValues([3, 5.5], 1)]).toEqual([2.5]);
  });
});

describe('equals the mean over all orders, and adds up', () => {
  const cases: [name: string, parts: InputParts][] = [
    ['log-probability', { text }],
    ['probability', { text, score: 'prob' }],
    ['groups', { text, groups: [[0, 1], [2], [3, 4], [5]] }],
    ['hidden units stay', { text, kinds: ['special', 'text', 'text', 'template', 'text', 'sink'] }],
    ['a response', { text, spec: { kind: 'response' }, response: [9, 12, 40] }],
    ['a contrast of probabilities', { text, spec: { kind: 'contrast', a: ' Paris', b: ' London' }, score: 'prob' }],
    ['entropy', { text, spec: { kind: 'entropy' } }],
  ];
  test.each(cases)('%s', async (_name, parts) => {
    const input = await inputFor(model, parts);
    const units = [...input.units.keys()].filter((unit) => !['special', 'template'].includes(input.units[unit]?.kind ?? ''));
    const worth = await worthOf(input, units);
    const oracle = meanGains(units.length, orders([...units.keys()]), worth);
    const { scores, completeness, warnings } = await exactShapley.attribute(input);
    expect(
      maximumDifference(
        units.map((unit) => scores[unit] as number),
        oracle,
      ),
    ).toBeLessThan(1e-5);
    expect([...scores].filter((score, unit) => score !== 0 && !units.includes(unit))).toEqual([]);
    expect(completeness?.expected).toBeCloseTo(input.value - worth(units.map(() => false)), 6);
    expect(completeness?.gap).toBeCloseTo(0, 5);
    expect(warnings).toEqual([]);
  });
});

test('an additive game gives each its own', async () => {
  const input = await inputFor(model, { text: 'cat on', spec: { kind: 'id', id: 50 }, parameters: { replacement: 'neutral' } });
  const { scores } = await exactShapley.attribute(input);
  input.tokens.forEach((token, index) => {
    expect(scores[index]).toBeCloseTo(weight(token.id, 50) - weight(idOf(' '), 50), 5);
  });
});

test('each coalition is one prompt of its own, and no more than 12 units play', async () => {
  const counting = createLinearModel();
  const { forwardPasses } = await exactShapley.attribute(await inputFor(counting, { text }));
  expect(counting.calls.variants).toHaveLength(2 ** 6);
  // The prompts without some of six tokens are the ways through a tree of 63 tokens, and the prompt that stands for nothing.
  expect(forwardPasses).toBeGreaterThanOrEqual(64 / 6);
  expect(forwardPasses).toBeLessThan(2 ** 6);
  const long = await inputFor(model, { ids: Array.from({ length: 13 }, (_, index) => 5 + index) });
  await expect(exactShapley.attribute(long)).rejects.toThrow(/E_TOO_MANY_UNITS.*at most 12 units, and the prompt has 13/);
  const hidden = await inputFor(model, { ids: Array.from({ length: 13 }, (_, index) => 5 + index), kinds: ['special'] });
  expect((await exactShapley.attribute({ ...hidden, parameters: {} })).scores).toHaveLength(13);
});

test('no unit, one unit, cancelled', async () => {
  const none = await exactShapley.attribute(await inputFor(model, { text: 'cat', kinds: ['template', 'template', 'template'] }));
  expect([...none.scores]).toEqual([0, 0, 0]);
  expect(none.completeness).toMatchObject({ expected: 0, share: null });
  const input = await inputFor(model, { ids: [40] });
  const worth = await worthOf(input, [0]);
  const one = await exactShapley.attribute(input);
  expect(one.scores[0]).toBeCloseTo(worth([true]) - worth([false]), 5);
  await expect(exactShapley.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
