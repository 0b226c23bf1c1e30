import { describe, expect, test } from 'vitest';
import { expectedGradients } from '../../src/attribution/gradient/expectedGradients.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { embeddingsOf, partOfLogit, sequenceOf, valueAt } from './embeddingValues.ts';
import { idOf } from './linearModel.ts';
import { createSmoothModel, embeddingOf } from './smoothModel.ts';

const model = createSmoothModel();
const text = 'The cat sat on the mat';
const id = 40;
const prepared = (parts: InputParts = {}) =>
  inputFor(model, {
    text,
    spec: { kind: 'id', id },
    ...parts,
    parameters: resolveParameters(expectedGradients, parts.parameters),
  });

describe.each(['end-of-text', 'prompt'])('baselines from %s', (reference) => {
  test('many samples come to the closed form of a logit, and their interval holds it', async () => {
    const input = await prepared({ parameters: { reference, samples: 400 } });
    const { scores, intervals, completeness } = await expectedGradients.attribute(input);
    const ids = input.tokens.map((token) => token.id);
    const drawn = reference === 'prompt' ? ids : [0];
    const expected = ids.map((token, key) => {
      const part = (of: number) => partOfLogit(ids, key, id, embeddingOf(of));
      return part(token) - drawn.reduce((sum, other) => sum + part(other), 0) / drawn.length;
    });
    expected.forEach((value, token) => {
      const [low, high] = intervals?.[token] ?? [0, 0];
      expect(scores[token]).toBeCloseTo((low + high) / 2, 5);
      // Twice as wide as said: 95 % would let one of twenty out.
      expect(Math.abs((scores[token] as number) - value)).toBeLessThanOrEqual(high - low + 1e-6);
    });
    const total = expected.reduce((sum, value) => sum + value, 0);
    expect(completeness?.share ?? 1).toBeLessThan(0.1);
    expect(Math.abs((completeness?.expected ?? 0) - total)).toBeLessThan(
      reference === 'prompt' ? 0.1 * Math.abs(total) + 0.1 : 1e-5,
    );
  });
});

test('what the scores should add up to is measured, for any target', async () => {
  const input = await prepared({
    spec: { kind: 'response' },
    response: [idOf(' Paris'), idOf('.')],
    parameters: { reference: 'end-of-text', samples: 2 },
  });
  const { completeness } = await expectedGradients.attribute(input);
  const sequence = sequenceOf(input).fill(0, 0, input.tokens.length);
  expect(completeness?.expected).toBeCloseTo(input.value - (await valueAt(input, embeddingsOf(sequence))), 5);
  expect(completeness?.steps).toBe(2);
});

test('one token alone is its own reference and scores 0', async () => {
  const { scores, completeness } = await expectedGradients.attribute(await prepared({ ids: [12] }));
  expect([...scores]).toEqual([0]);
  expect(completeness).toMatchObject({ sum: 0, expected: 0, share: null });
});

test('same seed, same bytes; hidden units 0; stops', async () => {
  const parts = { groups: [[0, 1, 2], [3], [4, 5]], kinds: ['text', 'template', 'text'] } as const;
  const run = async (seed: number) => (await expectedGradients.attribute(await prepared({ ...parts, seed }))).scores;
  expect(await run(3)).toEqual(await run(3));
  expect(await run(3)).not.toEqual(await run(4));
  expect((await run(3))[1]).toBe(0);
  const stopped = expectedGradients.attribute(await prepared(), { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
