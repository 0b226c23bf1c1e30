import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GenerateRequest, GeneratedToken } from '../../../src/model/model.ts';
import { generate } from '../../../src/model/runtime/generate.ts';
import type { GenerationModel } from '../../../src/model/runtime/generate.ts';
import { generationVocabulary } from '../../../src/llama/tokenizer/tokenText.ts';
import { loadVocabulary } from '../tokenizer/loadVocabulary.ts';

const words = await loadVocabulary(join(import.meta.dirname, '../../../models/SmolLM2-135M-Instruct.Q4_1.gguf'));
const vocabulary = generationVocabulary(words);
const endOfTurn = 2;

/** A "model" that wants to say a fixed sequence: the token at each position gets the largest logit. */
function scripted(script: readonly number[], contextLength = 100, prompt = 1) {
  const calls: { tokens: number[]; position: number }[] = [];
  const model: GenerationModel = {
    contextLength,
    vocabulary,
    evaluate: (tokens, position) => {
      calls.push({ tokens: Array.from(tokens), position });
      const logits = new Float32Array(words.size).fill(-20);
      logits[script[position + tokens.length - prompt] ?? 0] = 5;
      logits[100] = 3;
      return logits;
    },
  };
  return { model, calls };
}

const request: GenerateRequest = { tokens: Int32Array.of(7), maxTokens: 10, temperature: 0, seed: 0, top: 0 };

test('stops at an end-of-generation token, which is not part of the response', async () => {
  const { model, calls } = scripted([19_556, 905, endOfTurn]);
  const { tokens, text, finish } = await generate(request, model);
  expect({ ids: tokens.map(({ id }) => id), text, finish }).toEqual({ ids: [19_556, 905], text: 'Hello world', finish: 'stop' });
  expect(calls).toEqual([
    { tokens: [7], position: 0 },
    { tokens: [19_556], position: 1 },
    { tokens: [905], position: 2 },
  ]);
});

test.each([
  ['length', 3, 100, 3],
  ['length', 0, 100, 0],
  ['context', 10, 4, 4],
  ['context', 10, 1, 1],
] as const)('finish %s after %i tokens in a context of %i', async (finish, maxTokens, contextLength, count) => {
  const { model } = scripted(new Array<number>(20).fill(905), contextLength);
  const result = await generate({ ...request, maxTokens }, model);
  expect([result.finish, result.tokens.length]).toEqual([finish, count]);
});

test('a prompt beyond the context is refused with both numbers', async () => {
  const { model } = scripted([], 2);
  const failure = generate({ ...request, tokens: Int32Array.of(1, 2, 3) }, model);
  await expect(failure).rejects.toMatchObject({
    code: 'E_CONTEXT_OVERFLOW',
    parts: { details: { promptTokens: 3, contextTokens: 2 } },
  });
});

test('characters appear when they are complete', async () => {
  // 😀 is three tokens of this vocabulary.
  const smile = [10_813, 242, 218];
  const { model } = scripted([...smile, 905, ...smile.slice(0, 2)]);
  const streamed: GeneratedToken[] = [];
  const result = await generate({ ...request, maxTokens: 6 }, model, { onToken: (token) => streamed.push(token) });
  expect(result.tokens.map(({ text }) => text)).toEqual(['', '', '😀', ' world', '', '\uFFFD']);
  expect(streamed).toEqual(result.tokens);
  expect(result.text).toBe('😀 world\uFFFD');
});

test('a character cut off by the end of generation shows as U+FFFD', async () => {
  const { model } = scripted([905, 10_813, endOfTurn]);
  const result = await generate(request, model);
  expect(result.text).toBe(' world\uFFFD');
  expect(result.tokens.map(({ text }) => text).join('')).toBe(result.text);
});

test('log-probabilities are those of the unscaled distribution', async () => {
  const { model } = scripted([905, 905]);
  const normaliser = Math.log(Math.exp(5) + Math.exp(3) + (words.size - 2) * Math.exp(-20));
  for (const temperature of [0, 0.2]) {
    const { tokens } = await generate({ ...request, maxTokens: 1, temperature, top: 2 }, model);
    expect(tokens[0]?.logprob).toBeCloseTo(5 - normaliser, 6);
    expect(tokens[0]?.alternatives.map(({ id, text }) => [id, text])).toEqual([
      [905, ' world'],
      [100, words.text(100)],
    ]);
    expect(tokens[0]?.alternatives[1]?.logprob).toBeCloseTo(3 - normaliser, 6);
  }
});

test('the same seed gives the same tokens', async () => {
  const flat: GenerationModel = { contextLength: 100, vocabulary, evaluate: () => new Float32Array(words.size) };
  const ids = async (seed: number) =>
    (await generate({ ...request, temperature: 1, seed, maxTokens: 20 }, flat)).tokens.map(({ id }) => id).join();
  expect(await ids(1)).toBe(await ids(1));
  expect(await ids(1)).not.toBe(await ids(2));
});

test('NaN and infinity are reported', async () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const broken: GenerationModel = { contextLength: 9, vocabulary, evaluate: () => new Float32Array(8).fill(value, 3, 4) };
    await expect(generate(request, broken)).rejects.toMatchObject({ code: 'E_NUMERIC' });
  }
});

test('a cancelled run ends between two tokens', async () => {
  const controller = new AbortController();
  const { model } = scripted(new Array<number>(20).fill(905));
  const run = generate(request, model, { signal: controller.signal, onToken: () => controller.abort() });
  await expect(run).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
