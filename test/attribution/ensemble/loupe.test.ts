import { describe, expect, test } from 'vitest';
import { loupe } from '../../../src/attribution/ensemble/loupe.ts';
import type { AttributionMethod } from '../../../src/attribution/method.ts';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import type { Model } from '../../../src/model/model.ts';
import { inputFor, type InputParts } from '../attributionInput.ts';
import { createSmoothModel } from '../smoothModel.ts';

const sentences = 'The cat sat on the mat. The dog is of Paris. London sat on the cat.';

async function input(method: AttributionMethod, parts: InputParts, given: Record<string, string>, model: Model) {
  return await inputFor(model, { ...parts, parameters: resolveParameters(method, given) });
}

describe('loupe', () => {
  const smooth = createSmoothModel();
  test.each(['quick', 'balanced', 'strong'])('%s: one finite score a unit, same bytes for a seed', async (preset) => {
    const given = await input(loupe, { text: 'The cat sat on the mat' }, { preset }, smooth);
    const first = await loupe.attribute(given);
    expect(first.scores).toHaveLength(given.units.length);
    expect(first.scores.every(Number.isFinite)).toBe(true);
    expect((await loupe.attribute(given)).scores).toEqual(first.scores);
    if (preset === 'quick') expect(Math.min(...first.scores)).toBeGreaterThanOrEqual(0);
    else expect(first.findings?.fit?.samples).toBeGreaterThan(2);
  });

  test.each([
    ['quick', 3],
    ['balanced', 12],
    ['strong', 32],
    ['thorough', 100],
  ])('%s spends at most %i forward passes', async (preset, most) => {
    const { forwardPasses } = await loupe.attribute(await input(loupe, { text: sentences }, { preset }, smooth));
    expect(forwardPasses).toBeLessThanOrEqual(most);
    expect(forwardPasses).toBeGreaterThan(most / 2);
  });

  test.each(['balanced', 'strong'])('%s: nothing for what is always there', async (preset) => {
    const kinds = ['special', 'text', 'text', 'text', 'text', 'text'] as const;
    const { scores } = await loupe.attribute(await input(loupe, { ids: [40, 41, 42, 43, 44, 45], kinds }, { preset }, smooth));
    expect([scores[0], scores[5]]).toEqual([0, 0]);
    expect(scores.slice(1, 5).every((score) => score !== 0)).toBe(true);
  });

  test('one unit, and none', async () => {
    for (const preset of ['quick', 'balanced']) {
      const given = await input(loupe, { text: 'The cat', groups: [[0, 1, 2, 3, 4]] }, { preset }, smooth);
      expect((await loupe.attribute(given)).scores.every(Number.isFinite)).toBe(true);
      expect([...(await loupe.attribute({ ...given, units: [] })).scores]).toEqual([]);
    }
  });
});
