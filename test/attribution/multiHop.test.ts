import { describe, expect, test } from 'vitest';
import { multiHop } from '../../src/attribution/reasoning/multiHop.ts';
import { throughThoughts } from '../../src/attribution/reasoning/throughThoughts.ts';
import { saliency } from '../../src/attribution/gradient/saliency.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { seededRandom } from '../../src/attribution/seededRandom.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { idOf } from './linearModel.ts';
import { createSmoothModel } from './smoothModel.ts';

const text = 'The cat sat on the mat';
const response = [idOf(' Paris'), idOf('.'), idOf(' of'), idOf(' London')];
const model = createSmoothModel();
const prepared = (parts: InputParts = {}) =>
  inputFor(model, { text, response, ...parts, parameters: resolveParameters(multiHop, parts.parameters) });

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

/** The answer's share on a prompt token, as a sum over every chain of thoughts that leads there. */
function pathSum(rows: readonly (readonly number[])[], promptLength: number, from: number, token: number): number {
  const row = rows[from]?.slice(0, promptLength + from) ?? [];
  const total = sum(row);
  const direct = (row[token] ?? 0) / total;
  const detours = Array.from({ length: from }, (_, thought) => {
    return ((row[promptLength + thought] ?? 0) / total) * pathSum(rows, promptLength, thought, token);
  });
  return direct + sum(detours);
}

test('one row after another equals the sum over all chains', () => {
  const random = seededRandom(5);
  for (const [prompt, thoughts] of [
    [3, 0],
    [1, 4],
    [4, 6],
  ] as const) {
    const rows = Array.from({ length: thoughts + 1 }, () => Array.from({ length: prompt + thoughts }, random));
    const { origins, direct } = throughThoughts(rows, prompt);
    origins.forEach((origin, row) => {
      origin.forEach((share, token) => expect(share).toBeCloseTo(pathSum(rows, prompt, row, token), 12));
      expect(sum(origin)).toBeCloseTo(1, 12);
    });
    const answer = rows.at(-1) ?? [];
    expect(direct).toBeCloseTo(sum(answer.slice(0, prompt)) / sum(answer), 12);
  }
});

test('a row of nothing passes nothing on', () => {
  const { origins, direct } = throughThoughts(
    [
      [0, 0, 0],
      [1, 0, 1],
    ],
    2,
  );
  expect(origins.map((origin) => [...origin])).toEqual([
    [0, 0],
    [0.5, 0],
  ]);
  expect(direct).toBe(0.5);
});

describe('without thoughts it is the plain shares', () => {
  const specs: TargetSpec[] = [
    { kind: 'next' },
    { kind: 'response' },
    { kind: 'span', from: 0, to: 1 },
    { kind: 'text', text: ' London is' },
    { kind: 'contrast', a: ' Paris', b: ' London' },
  ];
  test.each(specs)('%j', async (spec) => {
    const input = await prepared({ spec });
    const { scores, findings, matrix } = await multiHop.attribute(input);
    const plain = (await saliency.attribute({ ...input, parameters: { norm: 'l2' } })).scores;
    scores.forEach((share, unit) => expect(share).toBeCloseTo((plain[unit] as number) / sum(plain), 5));
    expect(findings).toEqual({ throughThoughts: 0 });
    expect(matrix).toBeUndefined();
  });
});

test.each(['l2', 'l1'])('with thoughts, %s: each hop is the saliency of one token over all before it', async (norm) => {
  const spec = { kind: 'span', from: 3, to: 3 } as const;
  const input = await prepared({ spec, parameters: { norm } });
  const { scores, findings, matrix, forwardPasses } = await multiHop.attribute(input);
  // A prompt that already holds the thoughts gives each row by the plain method.
  const ids = input.tokens.map((token) => token.id);
  const rows: number[][] = [];
  for (const [index, id] of response.entries()) {
    const before = [...ids, ...response.slice(0, index)];
    const one = await inputFor(model, { ids: before, spec: { kind: 'id', id }, score: 'logprob', parameters: { norm } });
    rows.push([...(await saliency.attribute(one)).scores]);
  }
  scores.forEach((share, token) => expect(share).toBeCloseTo(pathSum(rows, ids.length, 3, token), 4));
  expect(sum(scores)).toBeCloseTo(1, 5);
  const answer = rows[3] ?? [];
  expect(findings?.throughThoughts).toBeCloseTo(sum(answer.slice(ids.length)) / sum(answer), 4);
  expect(matrix?.rows).toEqual([0, 1, 2]);
  matrix?.scores.forEach((row, thought) => {
    row.forEach((share, token) => expect(share).toBeCloseTo(pathSum(rows, ids.length, thought, token), 4));
  });
  // One forward pass and four backward passes over nine tokens, in passes over six.
  expect(forwardPasses).toBeCloseTo((5 * 9) / 6, 6);
});

test('an answer of several tokens: its own earlier tokens are no thoughts', async () => {
  const { findings, matrix } = await multiHop.attribute(await prepared({ spec: { kind: 'span', from: 1, to: 3 } }));
  expect(matrix?.rows).toEqual([0]);
  expect(findings?.throughThoughts).toBeGreaterThan(0);
  expect(findings?.throughThoughts).toBeLessThan(1);
});

test('hidden units hold nothing, one token holds all, a run can be stopped', async () => {
  const spec = { kind: 'span', from: 2, to: 3 } as const;
  const hidden = await multiHop.attribute(await prepared({ spec, kinds: ['text', 'special'] }));
  expect(hidden.scores[1]).toBe(0);
  expect(hidden.matrix?.scores.every((row) => row[1] === 0)).toBe(true);
  const single = await multiHop.attribute(await prepared({ spec, ids: [12] }));
  expect(single.scores[0]).toBeCloseTo(1, 6);
  const stopped = multiHop.attribute(await prepared({ spec }), { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
