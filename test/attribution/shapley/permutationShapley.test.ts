import { expect, test } from 'vitest';
import { exactShapley } from '../../../src/attribution/shapley/exactShapley.ts';
import { permutationShapley } from '../../../src/attribution/shapley/permutationShapley.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel, weight } from '../linearModel.ts';

const model = createLinearModel();
const text = 'The cat sat on the mat';

test('an additive game is known exactly from any order', async () => {
  const input = await inputFor(model, { text, spec: { kind: 'id', id: 50 }, parameters: { pairs: 2, replacement: 'neutral' } });
  const { scores, intervals } = await permutationShapley.attribute(input);
  const neutral = (await model.tokenizer.encode(' ', { addSpecial: false })).tokens[0]?.id ?? 0;
  input.tokens.forEach((token, index) => {
    expect(scores[index]).toBeCloseTo(weight(token.id, 50) - weight(neutral, 50), 5);
    expect((intervals?.[index]?.[1] ?? 1) - (intervals?.[index]?.[0] ?? 0)).toBeLessThan(1e-5);
  });
});

test('two units: both directions of one order are all orders', async () => {
  const groups = [
    [0, 1, 2],
    [3, 4, 5],
  ];
  const input = await inputFor(model, { text, groups, parameters: { pairs: 2 } });
  const [exact, found] = [await exactShapley.attribute(input), await permutationShapley.attribute(input)];
  expect(found.scores[0]).toBeCloseTo(exact.scores[0] ?? 0, 6);
  expect(found.scores[1]).toBeCloseTo(exact.scores[1] ?? 0, 6);
});

test('approaches the exact values; intervals shrink and hold them', async () => {
  const at = async (pairs: number, seed: number) =>
    await permutationShapley.attribute(await inputFor(model, { text, score: 'prob', seed, parameters: { pairs } }));
  const exact = await exactShapley.attribute(await inputFor(model, { text, score: 'prob' }));
  const width = (intervals: readonly (readonly [number, number])[] = []) =>
    intervals.reduce((sum, [low, high]) => sum + high - low, 0);
  const largest = Math.max(...exact.scores.map(Math.abs));
  const many = await at(400, 1);
  for (const [unit, score] of many.scores.entries())
    expect(Math.abs(score - (exact.scores[unit] ?? 0))).toBeLessThan(0.03 * largest);
  expect(width(many.intervals)).toBeLessThan(width((await at(10, 1)).intervals) / 3);
  let held = 0;
  let intervals = 0;
  for (let seed = 0; seed < 40; seed++) {
    const found = await at(20, seed);
    found.intervals?.forEach(([low, high], unit) => {
      intervals++;
      if (low <= (exact.scores[unit] ?? 0) && high >= (exact.scores[unit] ?? 0)) held++;
    });
  }
  expect(held / intervals).toBeGreaterThan(0.88);
  expect(held / intervals).toBeLessThan(0.99);
});

test('every run adds up, hidden units stay, the seed decides', async () => {
  const parts = { text, kinds: ['special', 'text', 'text', 'template', 'text', 'text'] as const, parameters: { pairs: 3 } };
  const found = await permutationShapley.attribute(await inputFor(model, { ...parts, seed: 3 }));
  expect(found.completeness?.gap).toBeCloseTo(0, 5);
  expect([found.scores[0], found.scores[3], found.intervals?.[3]]).toEqual([0, 0, [0, 0]]);
  expect((await permutationShapley.attribute(await inputFor(model, { ...parts, seed: 3 }))).scores).toEqual(found.scores);
  expect((await permutationShapley.attribute(await inputFor(model, { ...parts, seed: 4 }))).scores).not.toEqual(found.scores);
});

test('no unit, one unit, no coalition twice, cancelled', async () => {
  const none = await permutationShapley.attribute(await inputFor(model, { ids: [40], kinds: ['special'] }));
  expect([...none.scores]).toEqual([0]);
  const counting = createLinearModel();
  const one = await permutationShapley.attribute(await inputFor(counting, { ids: [40] }));
  expect(one.scores[0]).toBeCloseTo((await exactShapley.attribute(await inputFor(model, { ids: [40] }))).scores[0] ?? 0, 6);
  expect(counting.calls.variants).toHaveLength(2);
  const input = await inputFor(model, { text });
  await expect(permutationShapley.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'E_CANCELLED',
  });
});
