import { describe, expect, test } from 'vitest';
import { emptyPromptToken } from '../../src/attribution/perturbation/emptyPrompt.ts';
import { occlusion } from '../../src/attribution/perturbation/occlusion.ts';
import type { AttributionInput } from '../../src/attribution/method.ts';
import { fullValue, inputFor, type InputParts } from './attributionInput.ts';
import { createLinearModel, idOf, weight } from './linearModel.ts';

const model = createLinearModel();
const text = 'The cat sat on the mat';

/** The plain reference: for every unit, one full forward pass over the prompt without it. */
async function bruteForce(input: AttributionInput, replace: number | null): Promise<number[]> {
  const ids = input.tokens.map((token) => token.id);
  const scores: number[] = [];
  for (const unit of input.units) {
    const kept =
      replace === null
        ? ids.filter((_id, index) => !unit.tokens.includes(index))
        : ids.map((id, index) => (unit.tokens.includes(index) ? replace : id));
    scores.push(Math.fround(input.value - (await fullValue(model, Int32Array.from(kept.length > 0 ? kept : [0]), input.target))));
  }
  return scores;
}

describe('equals independent full forward passes', () => {
  const cases: [name: string, parts: InputParts, replace: number | null][] = [
    ['single tokens', { text }, null],
    ['single tokens, probability', { text, score: 'prob' }, null],
    ['groups', { text, groups: [[0, 1], [2], [3, 4], [5]] }, null],
    ['one unit that is everything', { text, groups: [[0, 1, 2, 3, 4, 5]] }, null],
    ['a response', { text, spec: { kind: 'response' }, response: [9, 12, 40] }, null],
    ['a span', { text, spec: { kind: 'span', from: 1, to: 2 }, response: [9, 12, 40] }, null],
    ['a given text', { text, spec: { kind: 'text', text: ' Paris is' } }, null],
    ['a contrast', { text, spec: { kind: 'contrast', a: ' Paris', b: ' London' } }, null],
    ['a neutral token', { text, parameters: { replacement: 'neutral' } }, idOf(' ')],
    [
      'a neutral token, groups',
      {
        text,
        parameters: { replacement: 'neutral' },
        groups: [
          [0, 1],
          [2, 3, 4, 5],
        ],
      },
      idOf(' '),
    ],
  ];
  test.each(cases)('%s', async (_name, parts, replace) => {
    const input = await inputFor(model, parts);
    const { scores, warnings } = await occlusion.attribute(input);
    expect([...scores]).toEqual(await bruteForce(input, replace));
    expect(warnings).toEqual([]);
  });
});

test('closed form: the logit falls by the weight of the token', async () => {
  const input = await inputFor(model, { text, spec: { kind: 'id', id: 50 } });
  const { scores } = await occlusion.attribute(input);
  input.tokens.forEach((token, index) => {
    expect(scores[index]).toBeCloseTo(weight(token.id, 50), 5);
  });
});

test('the order of the units and of the work does not matter', async () => {
  const groups = [[0, 1], [2], [3, 4], [5]];
  const order = [2, 0, 3, 1];
  const plain = await occlusion.attribute(await inputFor(model, { text, groups }));
  const shuffled = await occlusion.attribute(await inputFor(model, { text, groups: order.map((index) => groups[index] ?? []) }));
  expect(order.map((_unit, place) => shuffled.scores[place])).toEqual(order.map((unit) => plain.scores[unit]));
  const backwards = createLinearModel({ variantOrder: (count) => [...Array(count).keys()].reverse() });
  expect((await occlusion.attribute(await inputFor(backwards, { text, groups }))).scores).toEqual(plain.scores);
});

test('scores are told as they arrive, with the unit they belong to', async () => {
  const backwards = createLinearModel({ variantOrder: (count) => [...Array(count).keys()].reverse() });
  const input = await inputFor(backwards, {
    text,
    groups: [[0], [1, 2], [3], [4, 5]],
    kinds: ['special', 'text', 'template', 'sink'],
  });
  const told: [number, number][] = [];
  const progress: [number, number][] = [];
  const { scores } = await occlusion.attribute(input, {
    onScore: (unit, score) => told.push([unit, score]),
    onProgress: (done, total) => progress.push([done, total]),
  });
  expect(told).toEqual([
    [3, scores[3]],
    [1, scores[1]],
  ]);
  expect(progress).toEqual([
    [1, 2],
    [2, 2],
  ]);
  expect([scores[0], scores[2]]).toEqual([0, 0]);
});

test('template and control tokens are scored when asked for', async () => {
  const kinds = ['special', 'text', 'text', 'template', 'text', 'text'] as const;
  const input = await inputFor(model, { text, kinds, parameters: { includeTemplate: true } });
  const { scores } = await occlusion.attribute(input);
  expect([...scores]).toEqual(await bruteForce(input, null));
});

test('cost counts the tokens after the first one that differs', async () => {
  const input = await inputFor(model, { text: 'The cat sat', groups: [[2], [1], [0]] });
  // Of 3 tokens: without the last 2 are computed; without the middle 1 behind the one they share; without the first 2.
  expect((await occlusion.attribute(input)).forwardPasses).toBeCloseTo(5 / 3, 12);
});

test('what stands for a prompt of which nothing is left', async () => {
  expect(await emptyPromptToken(model.tokenizer)).toBe(0);
  const special = (bos: number | null, eos: number | null) =>
    emptyPromptToken({
      ...model.tokenizer,
      special: () => Promise.resolve({ bos, eos, endOfGeneration: [2], chatTemplate: null }),
    });
  expect([await special(1, 2), await special(null, 2), await special(null, null)]).toEqual([1, 2, 0]);
});

test('a model that yields NaN', async () => {
  const poisoned = createLinearModel({ poison: idOf(' ') });
  const input = await inputFor(poisoned, { text, parameters: { replacement: 'neutral' } });
  await expect(occlusion.attribute(input)).rejects.toMatchObject({ code: 'E_NUMERIC' });
});

test('cancelled before it begins', async () => {
  const input = await inputFor(model, { text });
  await expect(occlusion.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
