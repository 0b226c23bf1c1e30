/** Interventions on the prompt's text against single passes over prompts written by hand. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { averageEffect, placesOf, sampleLines, spanIn, valuesOf } from '../../../src/analysis/causal/intervention.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const target = { kind: 'contrast', a: ' Paris', b: ' London' } as const;

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 128 });
});
afterAll(() => model.dispose());

async function encoded(words: string): Promise<Int32Array> {
  return Int32Array.from((await model.tokenizer.encode(words)).tokens, ({ id }) => id);
}

async function contrast(text: string): Promise<number> {
  const tokens = await encoded(text);
  const ids = [...(await encoded(' Paris')), ...(await encoded(' London'))];
  const { read } = await model.forward({ tokens, read: [{ position: tokens.length - 1, ids }] });
  const [a = 0, b = 0] = read[0]?.logits ?? [];
  return a - b;
}

interface Effects {
  readonly values: readonly { value: string; target: number; change: number; text: string | null; samples?: number[] }[];
  readonly differences: readonly {
    from: string;
    to: string;
    difference: number;
    average: { mean: number; interval: [number, number] | null } | null;
  }[];
}

test('each value as if the prompt had been written with it; averages over samples', async () => {
  const parameters = {
    span: 'France',
    values: 'England|Great Britain',
    samples: 'The largest city in {{}} is\n\nI live in the capital of France, which is\r\n',
    tokens: 3,
  };
  const { data, blocks } = await toolOn(model, 'intervene', { text: 'The capital of France is', target, parameters });
  const { values, differences } = data as Effects;
  expect(values.map(({ value }) => value)).toEqual(['France', 'England', 'Great Britain']);
  for (const { value, target: found, samples = [] } of values) {
    expect(found).toBeCloseTo(await contrast(`The capital of ${value} is`), 5);
    expect(samples[0]).toBeCloseTo(await contrast(`The largest city in ${value} is`), 5);
    expect(samples[1]).toBeCloseTo(await contrast(`I live in the capital of ${value}, which is`), 5);
  }
  expect(values[0]?.text).toMatch(/^ Paris/);
  expect(differences.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'France England',
    'France Great Britain',
    'England Great Britain',
  ]);
  const [france, england] = [values[0]?.samples ?? [], values[1]?.samples ?? []];
  const mean = ((england[0] as number) - (france[0] as number) + (england[1] as number) - (france[1] as number)) / 2;
  expect(differences[0]?.average?.mean).toBeCloseTo(mean, 10);
  expect(differences[0]?.difference).toBeCloseTo(values[1]?.change as number, 10);
  expect(blocks.map(({ kind }) => kind)).toEqual(['bars', 'table', 'text']);
});

test('without samples there is no average', async () => {
  const parameters = { span: 'France', values: 'England', tokens: 0 };
  const { data } = await toolOn(model, 'intervene', { text: 'The capital of France is', target, parameters });
  const { values, differences } = data as Effects;
  expect(differences[0]?.average).toBeNull();
  expect(values.map(({ text }) => text)).toEqual([null, null]);
});

const refused: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['no span', { values: 'England' }, /span.*missing/],
  ['a span that is not there', { span: 'Spain', values: 'England' }, /does not contain "Spain"/],
  ['a span that stands twice', { span: 'a', values: 'England' }, /more than once/],
  ['an empty value', { span: 'France', values: 'England|' }, /is empty/],
  ['only the span itself', { span: 'France', values: 'France' }, /are the span itself/],
  ['a sample without a place', { span: 'France', values: 'England', samples: 'In {{}}\nIn Spain' }, /line 2 has no place/],
  ['a sample with two', { span: 'France', values: 'England', samples: 'In {{}} and {{}}' }, /line 1 has several/],
];
test.each(refused)('refuses %s', async (_, parameters, message) => {
  const run = { text: 'The capital of France is', target, parameters };
  await expect(toolOn(model, 'intervene', run)).rejects.toThrow(message);
});

test('a variable is set wherever it stands', async () => {
  const parameters = { span: '{{country}}', values: 'England', samples: 'In {{}} is\nIn {{country}} is', tokens: 0 };
  const text = 'I love {{country}}. The capital of {{country}} is';
  const { data } = await toolOn(model, 'intervene', { text, format: 'markdown', target, parameters });
  const { values } = data as Effects;
  expect(values.map(({ value }) => value)).toEqual(['{{country}}', 'England']);
  expect(values[1]?.target).toBeCloseTo(await contrast('I love England. The capital of England is'), 5);
  expect(values[1]?.samples?.[1]).toBe(values[1]?.samples?.[0]);
});

test('samples are messages where the prompt is a conversation', async () => {
  const text = JSON.stringify([{ role: 'user', content: 'Is France big?' }]);
  const parameters = { span: 'France', values: 'Peru', samples: 'Is {{}} big?', tokens: 0 };
  const { data } = await toolOn(model, 'intervene', { text, format: 'messages-json', mode: 'chat', target, parameters });
  const { values } = data as Effects;
  for (const { target: own, samples } of values) expect(samples).toEqual([own]);
});

test('pieces', () => {
  const sections = [
    { kind: 'variable', label: 'place', start: 2, end: 5 },
    { kind: 'variable', label: 'other', start: 5, end: 6 },
    { kind: 'variable', label: 'place', start: 7, end: 10 },
  ] as const;
  expect(placesOf({ text: 'a one, one', sections }, '{{ place }}')).toEqual([
    { start: 2, end: 5 },
    { start: 7, end: 10 },
  ]);
  expect(placesOf({ text: 'a one, two', sections: [] }, 'two')).toEqual([{ start: 7, end: 10 }]);
  expect(() => placesOf({ text: 'a one, one', sections }, '{{nowhere}}')).toThrow(/does not contain/);
  expect(spanIn('one two', 'two')).toEqual({ start: 4, end: 7 });
  expect(valuesOf('a|b|a|c', 'c')).toEqual(['a', 'b']);
  expect(sampleLines('x {{}} y\n  \nc z', 'c')).toEqual([
    ['x ', ' y'],
    ['', ' z'],
  ]);
  // All differences are 2: the bootstrap has nothing to spread.
  expect(averageEffect([3, 4, 5], [1, 2, 3], 7)).toEqual({ mean: 2, interval: [2, 2] });
  expect(averageEffect([3], [1], 7)).toEqual({ mean: 2, interval: null });
  const { mean, interval } = averageEffect([1, -1, 3, 1], [0, 0, 0, 0], 7);
  expect(mean).toBe(1);
  expect(interval?.[0]).toBeGreaterThanOrEqual(-1);
  expect(interval?.[1]).toBeLessThanOrEqual(3);
});
