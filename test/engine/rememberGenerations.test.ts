import { afterAll, beforeAll, expect, test } from 'vitest';
import { ModelThread } from '../../src/engine/modelThread.ts';
import { rememberGenerations } from '../../src/engine/rememberGenerations.ts';
import type { GenerateRequest, Model } from '../../src/model/model.ts';
import { engineBundle } from '../setup/engineBundle.ts';
import { testModels } from '../setup/testModels.ts';

let thread: ModelThread;
let model: Model;
/** How often the real model was asked. */
let asked = 0;

beforeAll(async () => {
  thread = new ModelThread({ workerFile: await engineBundle() });
  const opened = await thread.open(testModels.tinyLlama, { threads: 1, contextLength: 64 });
  const counted: Model = {
    ...opened,
    generate: (request, options) => {
      asked += 1;
      return opened.generate(request, options);
    },
  };
  model = rememberGenerations(counted, 2);
});
afterAll(() => thread.end());

const request: GenerateRequest = { tokens: new Int32Array([1, 70, 80]), maxTokens: 6, temperature: 0, seed: 0, top: 2 };

test('the same request is answered and streamed alike, without the model', async () => {
  const first = await model.generate(request);
  const before = asked;
  const streamed: number[] = [];
  expect(await model.generate(request, { onToken: ({ id }) => streamed.push(id) })).toEqual(first);
  expect(streamed).toEqual(first.tokens.map(({ id }) => id));
  expect(asked).toBe(before);
});

test.each<[string, Partial<GenerateRequest>]>([
  ['other tokens', { tokens: new Int32Array([1, 70, 81]) }],
  ['another length', { maxTokens: 5 }],
  ['another temperature', { temperature: 0.5 }],
  ['another seed', { seed: 1 }],
  ['more alternatives', { top: 3 }],
])('%s is another request', async (_name, change) => {
  await model.generate(request);
  const before = asked;
  await model.generate({ ...request, ...change });
  expect(asked).toBe(before + 1);
});

test('the oldest is forgotten', async () => {
  const seeded = (seed: number) => model.generate({ ...request, seed });
  await seeded(10);
  await seeded(11);
  await seeded(12);
  const before = asked;
  await seeded(12);
  await seeded(11);
  expect(asked).toBe(before);
  await seeded(10);
  expect(asked).toBe(before + 1);
});

test('a cancelled one is not remembered', async () => {
  const fresh = { ...request, seed: 99 };
  await expect(model.generate(fresh, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  const before = asked;
  await model.generate(fresh);
  expect(asked).toBe(before + 1);
});
