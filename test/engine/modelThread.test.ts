import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ModelThread } from '../../src/engine/modelThread.ts';
import type { GradientPlan } from '../../src/model/gradient.ts';
import type { GeneratedToken, Model, VariantResult } from '../../src/model/model.ts';
import { engineBundle } from '../setup/engineBundle.ts';
import { testModels } from '../setup/testModels.ts';

const oneThread = { threads: 1, contextLength: 512 };
const greedy = { temperature: 0, seed: 0, top: 2 };

describe('a model behind the thread', () => {
  let thread: ModelThread;
  let model: Model;
  let tokens: Int32Array;

  beforeAll(async () => {
    thread = new ModelThread({ workerFile: await engineBundle() });
    model = await thread.open(testModels.tinyLlama, oneThread);
    const { tokens: encoded } = await model.tokenizer.encode('The quick brown fox');
    tokens = Int32Array.from(encoded, ({ id }) => id);
  });
  afterAll(() => thread.end());

  test('its tokenizer answers', async () => {
    const ids = [...tokens];
    expect(await model.tokenizer.decode(ids)).toContain('quick');
    expect(await model.tokenizer.pieces(ids)).toHaveLength(ids.length);
    expect(await model.tokenizer.special()).toMatchObject({ endOfGeneration: expect.any(Array) });
  });

  test('a forward pass comes back whole, twice the same, and leaves the request alone', async () => {
    const before = tokens.slice();
    const request = { tokens, logits: 'all', read: [{ position: tokens.length - 1, ids: [0, 1], top: 3 }] } as const;
    const first = await model.forward(request);
    expect(first.logits?.values.length).toBe(tokens.length * model.info.vocabulary);
    expect(first.read[0]?.logits).toBeInstanceOf(Float32Array);
    expect(first.captured).toBeInstanceOf(Map);
    const last = first.logits?.values.subarray(-model.info.vocabulary);
    expect(first.read[0]?.top[0]?.logit).toBe(Math.max(...(last ?? [])));
    expect(await model.forward(request)).toEqual(first);
    expect(tokens).toEqual(before);
  });

  test('vectors are unembedded there as here', async () => {
    const site = { kind: 'resid_post', layer: model.info.layers - 1 } as const;
    const result = await model.forward({ tokens, logits: 'last', capture: [{ site }] });
    const rows = result.captured.get(`resid_post.${site.layer}`)?.data.slice(-model.info.hidden) ?? new Float32Array();
    const before = rows.slice();
    const [read] = await model.unembed({ rows, read: [{ ids: [7], top: 2, entropy: true }] });
    expect(read?.logits[0]).toBeCloseTo(result.logits?.values[7] ?? Number.NaN, 5);
    expect(read?.ranks).toBeInstanceOf(Int32Array);
    expect(rows).toEqual(before);
    const stopped = model.unembed({ rows, read: [{}] }, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  test('variants stream what they answer', async () => {
    const variants = [2, 3, 4].map((length) => ({ tokens: tokens.slice(0, length), read: [{ position: length - 1, ids: [7] }] }));
    const streamed: VariantResult[] = [];
    const results = await model.forwardVariants(
      { variants },
      {
        onResult: (index, result) => {
          streamed[index] = result;
        },
      },
    );
    expect(results).toHaveLength(3);
    expect(streamed).toEqual(results);
  });

  test('generation streams what it answers', async () => {
    const streamed: GeneratedToken[] = [];
    const { tokens: generated } = await model.generate(
      { tokens, maxTokens: 6, ...greedy },
      { onToken: (token) => streamed.push(token) },
    );
    expect(generated.length).toBeGreaterThan(0);
    expect(streamed).toEqual(generated);
  });

  const logit = (position: number) => ({ kind: 'logit', terms: [{ position, id: 7, weight: 1 }] }) as const;
  const embed = { kind: 'embed' } as const;

  test('a gradient comes back whole, twice the same, after its plan', async () => {
    const request = { tokens, targets: [logit(tokens.length - 1)], at: [embed], capture: [embed] };
    const told: (GradientPlan | string)[] = [];
    const first = await model.gradient(request, {
      onPlan: (plan) => told.push(plan),
      onProgress: (done, total) => told.push(`${done}/${total}`),
    });
    expect(told).toEqual([first.plan, '1/1']);
    expect(first.targets[0]?.gradients.get('embed')?.data.length).toBe(tokens.length * model.info.hidden);
    expect(first.captured.get('embed')?.shape).toEqual([tokens.length, model.info.hidden]);
    const { targets } = await model.gradient(request);
    expect(targets).toEqual(first.targets);
  });

  test('a path counts its points', async () => {
    const { captured } = await model.forward({ tokens, capture: [{ site: embed }] });
    const to = captured.get('embed')?.data ?? new Float32Array();
    const points = [0, 0.5, 1].map((fraction) => ({ fraction, weight: 1 / 3 }));
    const told: string[] = [];
    const { values, gradients } = await model.gradientAlong(
      { tokens, target: logit(tokens.length - 1), at: [embed], from: to.map((value) => value / 2), to, points },
      { onProgress: (done, total) => told.push(`${done}/${total}`) },
    );
    expect(told).toEqual(['1/3', '2/3', '3/3']);
    expect(values).toHaveLength(3);
    expect(gradients.get('embed')?.data).toHaveLength(to.length);
  });

  test('the memory a gradient may take is part of how a model is opened', async () => {
    const small = await thread.open(testModels.tinyLlama, { ...oneThread, gradientBytes: 1000 });
    const request = { tokens, targets: [logit(tokens.length - 1)], at: [embed] };
    await expect(small.gradient(request)).rejects.toMatchObject({
      code: 'E_GRADIENT_MEMORY',
      parts: { details: { limitBytes: 1000 } },
    });
    await small.dispose();
    expect((await model.gradient(request)).plan.limitBytes).toBeGreaterThan(1000);
  });

  test('an error keeps its code and details', async () => {
    const tooLong = new Int32Array(600).fill(1);
    await expect(model.forward({ tokens: tooLong })).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
      parts: { details: { promptTokens: 600 } },
    });
    await expect(thread.open('/nowhere/model.gguf', oneThread)).rejects.toMatchObject({ code: 'E_MODEL_NOT_FOUND' });
  });

  test('two models side by side; one that is disposed of answers no more', async () => {
    const other = await thread.open(testModels.tinyQwen2, oneThread);
    const expected = await model.forward({ tokens, logits: 'last' });
    expect(other.info.architecture).toBe('qwen2');
    await Promise.all([other.dispose(), other.dispose()]);
    await expect(other.forward({ tokens })).rejects.toMatchObject({ kind: 'model' });
    expect(await model.forward({ tokens, logits: 'last' })).toEqual(expected);
  });
});

describe('cancelling', () => {
  let thread: ModelThread;
  beforeAll(async () => {
    thread = new ModelThread({ workerFile: await engineBundle() });
  });
  afterAll(() => thread.end());

  test('a running call rejects at once, says nothing more, and the thread answers the next', async () => {
    const model = await thread.open(testModels.bundled, oneThread);
    const { tokens: encoded } = await model.tokenizer.encode('Once upon a time');
    const tokens = Int32Array.from(encoded, ({ id }) => id);
    const expected = await model.forward({ tokens, logits: 'last' });
    const controller = new AbortController();
    let heard = 0;
    const generation = model.generate(
      { tokens, maxTokens: 400, ...greedy },
      {
        signal: controller.signal,
        onToken: () => {
          heard += 1;
          controller.abort();
        },
      },
    );
    await expect(generation).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(await model.forward({ tokens, logits: 'last' })).toEqual(expected);
    expect(heard).toBe(1);
    await model.dispose();
  });

  test('a gradient stops between two points of its path, and the next is whole', async () => {
    const model = await thread.open(testModels.bundled, oneThread);
    const { tokens: encoded } = await model.tokenizer.encode('Once upon a time');
    const tokens = Int32Array.from(encoded, ({ id }) => id);
    const embed = { kind: 'embed' } as const;
    const { captured } = await model.forward({ tokens, capture: [{ site: embed }] });
    const to = captured.get('embed')?.data ?? new Float32Array();
    const target = { kind: 'logit', terms: [{ position: tokens.length - 1, id: 7, weight: 1 }] } as const;
    const request = { tokens, target, at: [embed], from: to.map((value) => value / 2), to };
    const one = { ...request, points: [{ fraction: 1, weight: 1 }] };
    const expected = await model.gradientAlong(one);
    const controller = new AbortController();
    let heard = 0;
    const running = model.gradientAlong(
      { ...request, points: Array.from({ length: 200 }, () => ({ fraction: 1, weight: 1 })) },
      {
        signal: controller.signal,
        onProgress: () => {
          heard += 1;
          controller.abort();
        },
      },
    );
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect((await model.gradientAlong(one)).gradients).toEqual(expected.gradients);
    expect(heard).toBe(1);
    await model.dispose();
  });

  test('opening can be cancelled, and nothing stays open', async () => {
    const controller = new AbortController();
    const opening = thread.open(testModels.bundled, {
      ...oneThread,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'E_CANCELLED' });
    const model = await thread.open(testModels.tinyLlama, oneThread);
    expect(model.info.architecture).toBe('llama');
  });

  test('a call that waits for its turn never runs', async () => {
    const model = await thread.open(testModels.tinyLlama, oneThread);
    const tokens = new Int32Array([1, 2, 3]);
    const first = model.forward({ tokens, logits: 'last' });
    const second = model.forward({ tokens, logits: 'last' }, { signal: AbortSignal.abort() });
    await expect(second).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect((await first).logits?.positions).toEqual([2]);
  });
});

describe('a thread that ends by itself', () => {
  const threads: ModelThread[] = [];
  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.end()));
  });
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/engine/${name}`, import.meta.url));

  test.each([
    ['exitingWorker.cjs', 'E_ENGINE_CRASHED', /code 7/],
    ['throwingWorker.cjs', 'E_ENGINE_CRASHED', /nobody caught this/],
    ['missingWorker.cjs', 'E_ENGINE_CRASHED', /missingWorker/],
  ])('%s rejects who waits and who comes later, and tells the owner first', async (name, code, why) => {
    const order: string[] = [];
    const thread = new ModelThread({ workerFile: fixture(name), onLost: (error) => order.push(error.code) });
    threads.push(thread);
    const open = () => thread.open(testModels.tinyLlama, oneThread);
    const reason = { code, parts: { why: expect.stringMatching(why) as string } };
    const outcomes = await Promise.allSettled([open(), open()]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason });
    order.push('rejected');
    await expect(thread.open(testModels.tinyLlama, oneThread)).rejects.toMatchObject({ code });
    expect(order).toEqual([code, 'rejected']);
  });

  test('a full JavaScript heap gives E_OUT_OF_MEMORY', async () => {
    const thread = new ModelThread({
      workerFile: await engineBundle(),
      resourceLimits: { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 },
    });
    threads.push(thread);
    await expect(thread.open(testModels.bundled, oneThread)).rejects.toMatchObject({ code: 'E_OUT_OF_MEMORY', kind: 'engine' });
  });

  test('one that is ended rejects with E_ENGINE_STOPPED and tells nobody it was lost', async () => {
    let lost = 0;
    const thread = new ModelThread({ workerFile: await engineBundle(), onLost: () => (lost += 1) });
    const opening = thread.open(testModels.tinyLlama, oneThread);
    const ended = thread.end();
    await expect(opening).rejects.toMatchObject({ code: 'E_ENGINE_STOPPED' });
    await ended;
    expect(lost).toBe(0);
  });
});
