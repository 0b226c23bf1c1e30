import { afterEach, describe, expect, test } from 'vitest';
import { EngineService, type EngineServiceOptions } from '../../src/engine/service.ts';
import type { EngineStatus, Progress, PromptSource } from '../../src/shared/protocol/engine.ts';
import { engineBundle } from '../setup/engineBundle.ts';
import { testModels } from '../setup/testModels.ts';

const oneThread = { threads: 1, contextLength: 512 };
const prompt: PromptSource = { text: 'The capital of France is', format: 'text', mode: 'raw' };
const generation = (maxTokens: number) => ({ prompt, maxTokens, temperature: 0, seed: 0, top: 0 });

let calls = 0;
const call = (signal = new AbortController().signal) => ({ requestId: `test-${++calls}`, signal });

const services: EngineService[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.dispose()));
});

async function startService(options: Partial<EngineServiceOptions> = {}): Promise<EngineService> {
  const service = new EngineService({ workerFile: await engineBundle(), ...options });
  services.push(service);
  return service;
}

const megabyte = 1024 * 1024;

describe('EngineService', () => {
  test('twenty loads of the bundled model take no more memory than a few', async () => {
    const service = await startService();
    const resident: number[] = [];
    for (let load = 0; load < 20; load += 1) {
      await service.methods.load(call(), testModels.bundled, oneThread);
      await service.methods.generate(call(), generation(1));
      await service.methods.unload(call());
      resident.push(process.memoryUsage.rss() / megabyte);
    }
    const settled = Math.min(...resident.slice(3, 6));
    // Garbage of JavaScript comes and goes in between; what stays is in the least of the last loads.
    const growth = Math.min(...resident.slice(-8)) - settled;
    // One leaked model is 94 MB, one leaked context 30 MB; seventeen loads may together leave less than one of them.
    expect(growth, `resident megabytes: ${resident.map(Math.round).join(' ')}`).toBeLessThan(25);
  });

  test('progress and tokens carry the id of their request', async () => {
    const heard: Progress[] = [];
    const ids = new Set<string>();
    const service = await startService({
      events: { progress: (progress) => heard.push(progress), token: ({ requestId }) => ids.add(requestId) },
    });
    const loading = call();
    await service.methods.load(loading, testModels.tinyLlama, oneThread);
    const generating = call();
    await service.methods.generate(generating, generation(4));
    expect(new Set(heard.map(({ requestId, phase }) => `${requestId} ${phase}`))).toEqual(
      new Set([`${loading.requestId} loading`, `${generating.requestId} generating`]),
    );
    expect(ids).toEqual(new Set([generating.requestId]));
    for (const { done, total } of heard) expect(done).toBeLessThanOrEqual(total);
  });

  test('an idle service frees the model, says so, and opens it again when asked', async () => {
    let idle = () => undefined as void;
    const becameIdle = new Promise<void>((resolve) => {
      idle = resolve;
    });
    const service = await startService({ idleMilliseconds: 50, onIdle: () => idle() });
    await service.methods.load(call(), testModels.tinyLlama, oneThread);
    await becameIdle;
    expect(service.status.model).toBeNull();
    expect((await service.methods.generate(call(), generation(1))).tokens).toHaveLength(1);
    expect(service.status.model?.file).toBe(testModels.tinyLlama);
  });

  test('disposing in mid-request rejects it and what waits', async () => {
    let onToken = () => undefined as void;
    const firstToken = new Promise<void>((resolve) => {
      onToken = resolve;
    });
    const service = await startService({ events: { token: () => onToken() } });
    await service.methods.load(call(), testModels.bundled, oneThread);
    const generate = async (maxTokens: number) => await service.methods.generate(call(), generation(maxTokens));
    const outcomes = Promise.allSettled([generate(400), generate(1)]);
    await firstToken;
    await service.dispose();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'E_CANCELLED' } });
  });

  test('status tells the queue and the loaded model', async () => {
    const seen: EngineStatus[] = [];
    const service = await startService({ events: { status: (status) => seen.push(status) } });
    expect(service.status).toEqual({ state: 'ready', model: null, queue: [], running: null });
    await service.methods.load(call(), testModels.tinyLlama, oneThread);
    expect(service.status).toMatchObject({
      state: 'ready',
      model: { architecture: 'llama', hasChatTemplate: expect.any(Boolean) },
    });
    expect(seen.map(({ state, running }) => `${state} ${running?.title ?? '-'}`)).toEqual([
      'busy -',
      'busy Load model.gguf',
      'ready -',
    ]);
  });

  test('a lost thread is told to the owner, and whoever waits is rejected', async () => {
    const lost: string[] = [];
    const service = await startService({ workerFile: '/nowhere/engine.cjs', onThreadLost: ({ code }) => lost.push(code) });
    await expect(service.methods.load(call(), testModels.tinyLlama, oneThread)).rejects.toMatchObject({
      code: 'E_ENGINE_CRASHED',
    });
    expect(lost).toEqual(['E_ENGINE_CRASHED']);
    await expect(service.methods.generate(call(), generation(1))).rejects.toMatchObject({ code: 'E_MODEL_NOT_LOADED' });
  });
});
