import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { EngineStatus, GenerateTextRequest, LoadOptions, PromptSource } from '../../../src/shared/protocol/engine.ts';
import { CrashGuard } from '../../../src/extension/engine/crashGuard.ts';
import { EngineClient, type EngineClientOptions } from '../../../src/extension/engine/engineClient.ts';
import { engineBundle } from '../../setup/engineBundle.ts';
import { isAlive } from '../../setup/isAlive.ts';
import { testModels } from '../../setup/testModels.ts';

const oneThread: LoadOptions = { threads: 1, contextLength: 512 };
const raw = (text: string): PromptSource => ({ text, format: 'text', mode: 'raw' });
const generation = (maxTokens: number, text = 'The capital of France is'): GenerateTextRequest => ({
  prompt: raw(text),
  maxTokens,
  temperature: 0,
  seed: 0,
  top: 0,
});

const clients: EngineClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()));
});

/** A client on the real engine, the states it went through, what it announced and what the engine wrote. */
async function startClient(options: Partial<EngineClientOptions> & { readonly idleMilliseconds?: number } = {}) {
  const { idleMilliseconds = 0, ...more } = options;
  const log: string[] = [];
  const client = new EngineClient({
    engineFile: await engineBundle(),
    log: (line) => log.push(line),
    startOptions: () => ({ idleMilliseconds, inspectPort: 0 }),
    ...more,
  });
  clients.push(client);
  const states: string[] = [];
  const restarts: string[] = [];
  client.onStatus(({ state }) => {
    if (states.at(-1) !== state) states.push(state);
  });
  client.onRestart((reason) => restarts.push(reason.code));
  return { client, states, restarts, log };
}

/** Resolves with the first status that fits, the present one included. */
function statusWhen(client: EngineClient, fits: (status: EngineStatus) => boolean): Promise<EngineStatus> {
  return new Promise((resolve) => {
    if (fits(client.status)) return resolve(client.status);
    const stop = client.onStatus((status) => {
      if (!fits(status)) return;
      stop();
      resolve(status);
    });
  });
}

function pidOf(client: EngineClient): number {
  if (client.pid === undefined) throw new Error('the engine is not running');
  return client.pid;
}

describe('starting', () => {
  test('nothing runs until the first request; states are told on the way', async () => {
    const { client, states } = await startClient();
    expect(client.pid).toBeUndefined();
    expect(client.status).toEqual({ state: 'stopped', model: null, queue: [], running: null });
    const phases = new Set<string>();
    const summary = await client.load(testModels.tinyLlama, oneThread, { onProgress: ({ phase }) => phases.add(phase) });
    expect(summary).toMatchObject({ file: testModels.tinyLlama, architecture: 'llama', format: 'gguf' });
    expect(phases).toEqual(new Set(['loading']));
    await statusWhen(client, ({ state }) => state === 'ready');
    expect(client.status.model).toEqual(summary);
    expect(states).toEqual(['starting', 'ready', 'busy', 'ready']);
  });

  test('two first requests start one engine', async () => {
    const { client } = await startClient();
    const pids = new Set<number | undefined>();
    client.onStatus(() => pids.add(client.pid));
    await Promise.all([client.load(testModels.tinyLlama, oneThread), client.listModels([])]);
    pids.delete(undefined);
    expect(pids.size).toBe(1);
  });

  test('a bundle that is not there rejects', async () => {
    const { client, states } = await startClient({ engineFile: '/nowhere/engine.cjs' });
    await expect(client.listModels([])).rejects.toMatchObject({ code: 'E_ENGINE_CRASHED' });
    expect(states).toEqual(['starting', 'failed']);
  });

  test('a request without a model says so', async () => {
    const { client } = await startClient();
    await expect(client.generate(generation(1))).rejects.toMatchObject({ code: 'E_MODEL_NOT_LOADED', kind: 'model' });
  });
});

describe('requests', () => {
  let client: EngineClient;
  beforeAll(async () => {
    ({ client } = await startClient());
    clients.splice(0);
  });
  afterAll(() => client.dispose());

  test('typed arrays survive the way', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    const { shape, values } = await client.attentionHead({ prompt: raw('one two three four'), layer: 0, head: 1 });
    expect(values).toBeInstanceOf(Float32Array);
    expect(values.length).toBe(shape[0] * shape[1]);
    expect(values.buffer.byteLength).toBe(values.byteLength);
    expect(values[0]).toBeCloseTo(1, 5);
  });

  test('tokens arrive as they appear', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    let streamed = '';
    const { text } = await client.generate(generation(8), { onToken: (piece) => (streamed += piece) });
    expect(streamed.length).toBeGreaterThan(0);
    expect(streamed).toBe(text);
  });

  test('two at once: the second waits, for everyone to see', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    const waiting = statusWhen(client, ({ running, queue }) => running !== null && queue.length === 1);
    const [first, second] = [
      client.generate(generation(16), { title: 'Generate a.md' }),
      client.generate(generation(16), { title: 'Generate b.md' }),
    ];
    const { state, running, queue } = await waiting;
    expect({ state, running: running?.title, queue: queue.map(({ title }) => title) }).toEqual({
      state: 'busy',
      running: 'Generate a.md',
      queue: ['Generate b.md'],
    });
    expect(await first).toEqual(await second);
  });

  test('cancelling the running one stops it, and the waiting one runs', async () => {
    await client.load(testModels.bundled, oneThread);
    const controller = new AbortController();
    const running = client.generate(generation(400), { signal: controller.signal, onToken: () => controller.abort() });
    const waiting = client.generate(generation(1));
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED', kind: 'cancelled' });
    expect((await waiting).tokens).toHaveLength(1);
  });

  test('cancelling a waiting one leaves the running one alone', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    const controller = new AbortController();
    const running = client.generate(generation(32));
    const waiting = client.generate(generation(32), { signal: controller.signal });
    await statusWhen(client, ({ queue }) => queue.length === 1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await statusWhen(client, ({ queue }) => queue.length === 0);
    expect((await running).tokens.length).toBeGreaterThan(0);
  });

  test('one cancelled before it was sent never reaches the engine', async () => {
    await expect(client.listModels([], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  test('an error of the engine keeps its code and details', async () => {
    await client.load(testModels.tinyLlama, { threads: 1, contextLength: 16 });
    const long = generation(4, 'word '.repeat(200));
    await expect(client.generate(long)).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
      parts: { details: { contextTokens: 16 } },
    });
    expect((await client.generate(generation(1, 'a'))).tokens).toHaveLength(1);
  });
});

describe('switching models', () => {
  let client: EngineClient;
  beforeAll(async () => {
    ({ client } = await startClient());
    clients.splice(0);
  });
  afterAll(() => client.dispose());

  test('the other model answers; the same file again is no work', async () => {
    expect((await client.load(testModels.tinyLlama, oneThread)).architecture).toBe('llama');
    const before = await client.generate(generation(4));
    expect((await client.load(testModels.tinyQwen2, oneThread)).architecture).toBe('qwen2');
    expect((await client.generate(generation(4))).text).not.toBe(before.text);
    let loading = 0;
    await client.load(testModels.tinyQwen2, oneThread, { onProgress: () => (loading += 1) });
    expect(loading).toBe(0);
    await client.load(testModels.tinyLlama, oneThread);
    expect(await client.generate(generation(4))).toEqual(before);
  });

  test('a switch waits for the running request', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    const expected = await client.generate(generation(32));
    const order: string[] = [];
    const running = client.generate(generation(32)).finally(() => order.push('request'));
    const load = client.load(testModels.tinyQwen2, oneThread).finally(() => order.push('load'));
    expect(await running).toEqual(expected);
    await load;
    expect(order).toEqual(['request', 'load']);
  });

  test.each([
    ['/nowhere/model.gguf', 'E_MODEL_NOT_FOUND'],
    [import.meta.filename, 'E_MODEL_UNSUPPORTED'],
  ])('one that cannot be opened (%s) leaves the one before', async (file, code) => {
    const summary = await client.load(testModels.tinyLlama, oneThread);
    await expect(client.load(file, oneThread)).rejects.toMatchObject({ code });
    expect(client.status.model).toEqual(summary);
    expect((await client.generate(generation(1))).tokens).toHaveLength(1);
  });

  test('unloading forgets the model', async () => {
    await client.load(testModels.tinyLlama, oneThread);
    await client.unload();
    await expect(client.generate(generation(1))).rejects.toMatchObject({ code: 'E_MODEL_NOT_LOADED' });
  });

  test('inspecting a file leaves the loaded one', async () => {
    const summary = await client.load(testModels.tinyLlama, oneThread);
    expect((await client.inspect(testModels.tinyQwen2)).architecture).toBe('qwen2');
    expect(client.status.model).toEqual(summary);
  });
});

describe('the engine dies', () => {
  test('killed in mid-request: started again, the model loaded again, the request repeated once', async () => {
    const { client, states, restarts } = await startClient();
    await client.load(testModels.bundled, oneThread);
    // One token more, so that it is another request: the same one would be answered from memory.
    const longer = await client.generate(generation(13));
    const first = pidOf(client);
    let killed = false;
    const result = await client.generate(generation(12), {
      onToken: () => {
        if (!killed) process.kill(first, 'SIGKILL');
        killed = true;
      },
    });
    expect(result.tokens).toEqual(longer.tokens.slice(0, 12));
    expect(client.pid).not.toBe(first);
    expect(restarts).toEqual(['E_ENGINE_CRASHED']);
    await statusWhen(client, ({ state }) => state === 'ready');
    // Busy twice: with the model, and with the request.
    expect(states.slice(states.indexOf('failed'))).toEqual(['failed', 'starting', 'ready', 'busy', 'ready', 'busy', 'ready']);
  });

  test('killed twice in one request: the caller is told, and the next request works', async () => {
    const { client } = await startClient();
    await client.load(testModels.bundled, oneThread);
    const killed = new Set<number>();
    const kill = () => {
      const pid = pidOf(client);
      if (!killed.has(pid)) process.kill(pid, 'SIGKILL');
      killed.add(pid);
    };
    await expect(client.generate(generation(12), { onToken: kill })).rejects.toMatchObject({
      code: 'E_ENGINE_CRASHED',
      parts: { why: expect.stringContaining('SIGKILL') },
    });
    expect(killed.size).toBe(2);
    expect(client.status.state).toBe('failed');
    expect((await client.generate(generation(1))).tokens).toHaveLength(1);
  });

  test('the waiting request is repeated too', async () => {
    const { client, restarts } = await startClient();
    await client.load(testModels.bundled, oneThread);
    const first = pidOf(client);
    let killed = false;
    const running = client.generate(generation(12), {
      onToken: () => {
        if (!killed) process.kill(first, 'SIGKILL');
        killed = true;
      },
    });
    const waiting = client.generate(generation(1));
    expect((await running).tokens).toHaveLength(12);
    expect((await waiting).tokens).toHaveLength(1);
    expect(restarts).toHaveLength(1);
  });

  test('a request cancelled in the moment of the crash is not repeated', async () => {
    const { client, restarts } = await startClient();
    await client.load(testModels.bundled, oneThread);
    const controller = new AbortController();
    const request = client.generate(generation(40), {
      signal: controller.signal,
      onToken: () => {
        process.kill(pidOf(client), 'SIGKILL');
        controller.abort();
      },
    });
    await expect(request).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await statusWhen(client, ({ state }) => state === 'failed');
    expect(restarts).toEqual([]);
  });

  test('after too many crashes it stays down until it is restarted by hand', async () => {
    let now = 0;
    const crashGuard = new CrashGuard({ limit: 2, windowMilliseconds: 1_000, now: () => now });
    const { client } = await startClient({ crashGuard });
    await client.load(testModels.tinyLlama, oneThread);
    for (let crash = 0; crash < 2; crash += 1) {
      await client.listModels([]);
      process.kill(pidOf(client), 'SIGKILL');
      await statusWhen(client, ({ state }) => state === 'failed');
    }
    await expect(client.generate(generation(1))).rejects.toMatchObject({
      code: 'E_ENGINE_CRASHED',
      parts: { why: expect.stringContaining('2 times') },
    });
    expect(client.pid).toBeUndefined();
    await client.restart();
    expect(client.status.model?.file).toBe(testModels.tinyLlama);
    process.kill(pidOf(client), 'SIGKILL');
    await statusWhen(client, ({ state }) => state === 'failed');
    now = 2_000;
    expect((await client.generate(generation(1))).tokens).toHaveLength(1);
  });
});

describe('the engine hangs', () => {
  test.skipIf(process.platform === 'win32')('a process that does not answer is ended; the next request works', async () => {
    const { client, states } = await startClient({ heartbeat: { tickMilliseconds: 200, ticksAllowed: 50 } });
    await client.load(testModels.tinyLlama, oneThread);
    const first = pidOf(client);
    process.kill(first, 'SIGSTOP');
    await expect(client.generate(generation(1))).rejects.toMatchObject({ code: 'E_ENGINE_UNRESPONSIVE', kind: 'engine' });
    expect((await client.generate(generation(1))).tokens).toHaveLength(1);
    expect(isAlive(first)).toBe(false);
    expect(states).toContain('failed');
  });

  test('a request without progress is ended, and not repeated', async () => {
    const { client, restarts } = await startClient({ progress: { tickMilliseconds: 1, ticksAllowed: 1 } });
    await expect(client.load(testModels.bundled, oneThread)).rejects.toMatchObject({
      code: 'E_ENGINE_UNRESPONSIVE',
      parts: { why: expect.stringContaining('Load SmolLM2') },
    });
    expect(restarts).toEqual([]);
  });
});

describe('ending', () => {
  test('an idle engine ends by itself; the next request brings it and its model back', async () => {
    const { client, states, restarts } = await startClient({ idleMilliseconds: 300 });
    const summary = await client.load(testModels.tinyLlama, oneThread);
    const first = pidOf(client);
    await statusWhen(client, ({ state }) => state === 'stopped');
    expect(isAlive(first)).toBe(false);
    expect(states).not.toContain('failed');
    expect((await client.generate(generation(2))).tokens).toHaveLength(2);
    expect(summary.file).toBe(testModels.tinyLlama);
    expect(restarts).toEqual([]);
  });

  test('restarting ends what runs and loads the model again', async () => {
    const { client } = await startClient();
    await client.load(testModels.bundled, oneThread);
    const first = pidOf(client);
    let restarted: Promise<void> | undefined;
    const running = client.generate(generation(400), { onToken: () => void (restarted ??= client.restart()) });
    await expect(running).rejects.toMatchObject({ code: 'E_ENGINE_STOPPED' });
    await restarted;
    expect(client.pid).not.toBe(first);
    expect(client.status.model?.file).toBe(testModels.bundled);
  });

  test('disposing ends its process, even in mid-request, and refuses what comes later', async () => {
    const { client } = await startClient();
    await client.load(testModels.bundled, oneThread);
    const pid = pidOf(client);
    let disposed: Promise<void> | undefined;
    const running = client.generate(generation(400), { onToken: () => void (disposed ??= client.dispose()) });
    await expect(running).rejects.toMatchObject({ code: 'E_ENGINE_STOPPED' });
    await disposed;
    expect(isAlive(pid)).toBe(false);
    await expect(client.listModels([])).rejects.toMatchObject({ code: 'E_ENGINE_STOPPED' });
  });

  test.skipIf(process.platform === 'win32')('disposing ends a process that does not answer', async () => {
    const { client } = await startClient();
    await client.listModels([]);
    const pid = pidOf(client);
    process.kill(pid, 'SIGSTOP');
    await client.dispose();
    expect(isAlive(pid)).toBe(false);
  });
});

test('the engine writes no prompt to its log', async () => {
  const { client, log } = await startClient();
  await client.load(testModels.tinyLlama, oneThread);
  await client.generate(generation(2, 'a very secret prompt'));
  expect(log.join('\n')).not.toContain('secret');
});
