import { describe, expect, test } from 'vitest';
import { CoalitionGame } from '../../../src/attribution/perturbation/coalitions.ts';
import { sharedPasses } from '../../../src/attribution/perturbation/evaluateSequences.ts';
import { hierarchicalOcclusion } from '../../../src/attribution/perturbation/hierarchicalOcclusion.ts';
import { guidedOcclusion } from '../../../src/attribution/perturbation/guidedOcclusion.ts';
import { occlusion } from '../../../src/attribution/perturbation/occlusion.ts';
import { permutationImportance } from '../../../src/attribution/perturbation/permutationImportance.ts';
import { reagent } from '../../../src/attribution/perturbation/reagent.ts';
import { valueZeroing } from '../../../src/attribution/perturbation/valueZeroing.ts';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { methodFamilies } from '../../../src/attribution/method.ts';
import type { Model } from '../../../src/model/model.ts';
import type { AttributionMethod } from '../../../src/attribution/method.ts';
import { fullValue, inputFor, type InputParts } from '../attributionInput.ts';
import { createLinearModel, weight } from '../linearModel.ts';
import { createSmoothModel } from '../smoothModel.ts';

const text = 'The cat sat on the mat. The dog is of Paris. London sat on the cat.';
const linear = createLinearModel();

async function input(method: AttributionMethod, parts: InputParts, given = {}, model: Model = linear) {
  return await inputFor(model, { ...parts, parameters: resolveParameters(method, given) });
}

describe('hierarchical occlusion', () => {
  test.each([0.3, 0.6, 0.9, 1])('units that are reached have the score of exhaustive occlusion, keep %f', async (keep) => {
    const hierarchical = await hierarchicalOcclusion.attribute(await input(hierarchicalOcclusion, { text }, { keep }));
    const exhaustive = await occlusion.attribute(await input(occlusion, { text }));
    const bounded = new Set(hierarchical.findings?.bounds?.map(([unit]) => unit));
    hierarchical.scores.forEach((score, unit) => {
      if (bounded.has(unit)) expect(score).toBe(0);
      else expect(score).toBe(exhaustive.scores[unit]);
    });
    if (keep === 1) expect(bounded.size).toBe(0);
    else expect(bounded.size).toBeGreaterThan(0);
  });

  test('it spends less than exhaustive occlusion where little matters', async () => {
    const long = Array.from({ length: 12 }, () => 'The cat sat on the mat.').join(' ');
    const cheap = await hierarchicalOcclusion.attribute(await input(hierarchicalOcclusion, { text: long }, { keep: 0.3 }));
    const exhaustive = await occlusion.attribute(await input(occlusion, { text: long }));
    expect(cheap.forwardPasses).toBeLessThan(exhaustive.forwardPasses / 2);
  });

  test.each([[''], ['a'], ['ab']])('%j', async (short) => {
    if (short === '') {
      const none = { ...(await input(hierarchicalOcclusion, { text: 'a' })), units: [] };
      expect([...(await hierarchicalOcclusion.attribute(none)).scores]).toEqual([]);
      return;
    }
    const result = await hierarchicalOcclusion.attribute(await input(hierarchicalOcclusion, { text: short }));
    expect(result.scores).toEqual((await occlusion.attribute(await input(occlusion, { text: short }))).scores);
  });
});

test('guided occlusion: exact where the gradient looks first, bounds elsewhere', async () => {
  const smooth = createSmoothModel();
  const given = await input(guidedOcclusion, { text: 'The cat sat on the mat' }, { exact: 3 }, smooth);
  const { scores, findings } = await guidedOcclusion.attribute(given);
  const exhaustive = await occlusion.attribute(await input(occlusion, { text: 'The cat sat on the mat' }, {}, smooth));
  const bounded = new Set(findings?.bounds?.map(([unit]) => unit));
  expect(bounded.size).toBe(given.units.length - 3);
  scores.forEach((score, unit) => expect(score).toBe(bounded.has(unit) ? 0 : exhaustive.scores[unit]));
});

test('other tokens of the prompt: the mean over the draws, the same for a seed', async () => {
  const given = await input(occlusion, { text: 'The cat sat on', spec: { kind: 'id', id: 50 } }, { replacement: 'corpus' });
  const { scores } = await occlusion.attribute(given);
  expect((await occlusion.attribute(given)).scores).toEqual(scores);
  // Each draw puts in another token's weight, so a score is a mean of differences of weights.
  const weights = given.tokens.map(({ id }) => weight(id, 50));
  scores.forEach((score, unit) => {
    const differences = weights.filter((_, other) => other !== unit).map((other) => (weights[unit] as number) - other);
    expect(score).toBeGreaterThanOrEqual(Math.min(...differences) - 1e-5);
    expect(score).toBeLessThanOrEqual(Math.max(...differences) + 1e-5);
  });
});

test('masking needs a model whose pass can be changed', async () => {
  await expect(occlusion.attribute(await input(occlusion, { text: 'The cat' }, { replacement: 'mask' }))).rejects.toMatchObject({
    code: 'E_METHOD_UNSUPPORTED',
  });
});

describe('permutation importance', () => {
  test('a model that ignores the order: nothing matters', async () => {
    const { scores, intervals } = await permutationImportance.attribute(
      await input(permutationImportance, { text: 'The cat sat on' }),
    );
    for (const score of scores) expect(Math.abs(score)).toBeLessThan(1e-5);
    expect(intervals).toHaveLength(scores.length);
  });

  test('exchanges keep every token; one unit has nothing to exchange with', async () => {
    const model = createLinearModel();
    const given = await inputFor(model, { text: 'The cat sat on', groups: [[0, 1], [2], [3]], parameters: { repeats: 3 } });
    const before = model.calls.variants.length;
    await permutationImportance.attribute(given);
    const sorted = (ids: ArrayLike<number>) => Array.from(ids).toSorted((a, b) => a - b);
    const asked = model.calls.variants.slice(before);
    expect(asked).toHaveLength(9);
    for (const ids of asked) {
      expect(sorted(ids)).toEqual(sorted(given.tokens.map(({ id }) => id)));
      expect([...ids]).not.toEqual(given.tokens.map(({ id }) => id));
    }
    const alone = await inputFor(model, { text: 'The cat', groups: [[0, 1]], parameters: { repeats: 3 } });
    expect([...(await permutationImportance.attribute(alone)).scores]).toEqual([0]);
  });
});

test('replacement by proposals: the weight a unit has over what the model proposes instead, on average', async () => {
  const given = await input(reagent, { text: 'The cat sat on', spec: { kind: 'id', id: 50 } }, { samples: 2000 });
  const { scores } = await reagent.attribute(given);
  expect((await reagent.attribute(given)).scores).toEqual(scores);
  expect(scores[0]).toBeCloseTo(0, 0);
  const { read } = await linear.forward({
    tokens: Int32Array.from(given.tokens, ({ id }) => id),
    read: given.tokens.map((_token, position) => ({ position, ids: [], top: 9 })),
  });
  given.tokens.slice(1).forEach(({ id }, index) => {
    const others = (read[index]?.top ?? []).map((top) => top.id).filter((other) => other !== id);
    const expected = weight(id, 50) - others.reduce((sum, other) => sum + weight(other, 50), 0) / others.length;
    expect(Math.abs((scores[index + 1] as number) - expected)).toBeLessThan(0.25);
  });
});

describe('passes that share beginnings', () => {
  test('each prompt whole on a model that shares none, whatever it has just read', () => {
    const prompts = [Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 2, 3, 5)];
    const held = Int32Array.of(1, 2, 3, 4);
    expect(sharedPasses({ sharesBeginnings: false }, prompts, 4, 2, held)).toBeCloseTo((6 + 6) / 6, 12);
  });

  test('counted from where a prompt leaves its neighbour', () => {
    const prompts = [Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 2, 3, 5), Int32Array.of(1, 9, 9)];
    const shares = { sharesBeginnings: true };
    expect(sharedPasses(shares, prompts, 4, 0)).toBeCloseTo((4 + 1 + 2) / 4, 12);
    expect(sharedPasses(shares, [], 4, 0)).toBe(0);
  });

  test('a game never asks for a coalition twice, nor for two that leave the same text', async () => {
    const model = createLinearModel();
    const given = await inputFor(model, { text: 'aab', parameters: { replacement: 'drop' } });
    const game = await CoalitionGame.open(given);
    const before = model.calls.variants.length;
    const first = await game.values([Uint8Array.of(1, 0, 1), Uint8Array.of(0, 1, 1), Uint8Array.of(1, 0, 1)]);
    expect(model.calls.variants.length - before).toBe(1);
    expect(first[0]).toBe(first[1]);
    expect(first[0]).toBe(
      await fullValue(model, Int32Array.of(...[given.tokens[0], given.tokens[2]].map((token) => token?.id ?? 0)), given.target),
    );
  });
});

test('value zeroing needs patches', () => {
  expect(valueZeroing.needs).toContain('patch');
  expect(methodFamilies).toContain(valueZeroing.family);
});
