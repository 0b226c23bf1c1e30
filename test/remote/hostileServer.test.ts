/** Servers that are broken, slow or hostile: each ends in an error with a code, soon, and without the key. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { serverAddress } from '../../src/shared/serverAddress.ts';
import type { HttpLimits } from '../../src/remote/httpClient.ts';
import { openRemoteModel } from '../../src/remote/openRemoteModel.ts';
import { testModels } from '../setup/testModels.ts';
import { startLlamaServer } from './llamaServerOn.ts';

const limits: HttpLimits = { quickSeconds: 1, slowSeconds: 1, answerBytes: 2_000_000, busySeconds: 1, watchSeconds: 60 };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that is right in everything but what `spoil` does to one path. */
async function spoiled(path: string, spoil: (response: ServerResponse, whole: Record<string, unknown>) => void): Promise<string> {
  const real = await startLlamaServer(testModels.tinyLlama);
  closing.push(() => real.close());
  return await listen((request, response) => {
    void pass(real.address, request).then((whole) => {
      if (request.url === path) spoil(response, whole as Record<string, unknown>);
      else response.end(JSON.stringify(whole));
    });
  });
}

async function pass(address: string, request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const answer = await fetch(`${address}${request.url ?? ''}`, body === '' ? {} : { method: 'POST', body });
  return await answer.json();
}

const open = (address: string, apiKey?: string) =>
  openRemoteModel(address, { contextLength: 0, limits, ...(apiKey === undefined ? {} : { apiKey }) });

describe('whatever the server sends', () => {
  const json = (body: unknown) => (response: ServerResponse) => response.end(JSON.stringify(body));
  const cases: [name: string, send: (response: ServerResponse) => void, code: string][] = [
    ['a web page', (response) => response.end('<html>hello</html>'), 'E_SERVER_ANSWER'],
    ['garbage', (response) => response.end(Buffer.from([0, 255, 1, 128])), 'E_SERVER_ANSWER'],
    ['nothing', (response) => response.end(), 'E_SERVER_ANSWER'],
    ['another object', json({ hello: 1 }), 'E_SERVER_ANSWER'],
    ['null', json(null), 'E_SERVER_UNSUPPORTED'],
    ['a negative context', json({ default_generation_settings: { n_ctx: -5 } }), 'E_SERVER_ANSWER'],
    ['an absurd context', json({ default_generation_settings: { n_ctx: 1e300 } }), 'E_SERVER_ANSWER'],
    ['an endless answer', (response) => void endless(response), 'E_SERVER_ANSWER'],
    ['silence', () => undefined, 'E_SERVER_TIMEOUT'],
    [
      'a beginning, then silence',
      (response) => {
        response.writeHead(200);
        response.write('{"a":');
      },
      'E_SERVER_TIMEOUT',
    ],
    ['a connection that drops', (response) => (response.socket as Socket).destroy(), 'E_SERVER_UNREACHABLE'],
    [
      'an answer that drops',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{', () => (response.socket as Socket).destroy());
      },
      'E_SERVER_UNREACHABLE',
    ],
    ['loading, and never done', (response) => response.writeHead(503).end('{}'), 'E_SERVER_BUSY'],
    ['asked too often', (response) => response.writeHead(429).end('{}'), 'E_SERVER_BUSY'],
    ['no such place', (response) => response.writeHead(404).end('no'), 'E_SERVER_UNSUPPORTED'],
    ['a fault', (response) => response.writeHead(500).end('no'), 'E_SERVER_REFUSED'],
    ['another host', (response) => response.writeHead(302, { location: 'http://other.example/x' }).end(), 'E_SERVER_REDIRECT'],
    ['a key refused', (response) => response.writeHead(401).end('{}'), 'E_SERVER_KEY'],
  ];
  test.each(cases)('%s', async (_name, send, code) => {
    const address = await listen((_request, response) => send(response));
    await expect(open(address)).rejects.toMatchObject({ code });
  });

  test('a redirect is not followed, not even on the same host', async () => {
    const asked: string[] = [];
    const address = await listen((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(open(address)).rejects.toMatchObject({ code: 'E_SERVER_REDIRECT' });
    expect(asked).toEqual(['/props']);
  });

  test('nobody listens', async () => {
    const address = await listen(() => undefined);
    for (const close of closing.splice(0)) await close();
    await expect(open(address)).rejects.toMatchObject({ code: 'E_SERVER_UNREACHABLE' });
  });
});

test('a server that shuts down while it is asked, and keeps the connection', async () => {
  const real = await startLlamaServer(testModels.tinyLlama);
  closing.push(() => real.close());
  let asked = 0;
  const server = createServer((request, response) => {
    // The model is opened first; then a question stays without an answer, and nobody new is let in.
    if (request.url === '/completion' && ++asked > 2) server.close();
    else void pass(real.address, request).then((whole) => response.end(JSON.stringify(whole)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => Promise.resolve(server.closeAllConnections()));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const patient = { ...limits, slowSeconds: 600, watchSeconds: 0.05 };
  const model = await openRemoteModel(address, { contextLength: 0, limits: patient });
  const call = model.forward({ tokens: Int32Array.of(1), read: [{ position: 0, ids: [5] }] });
  await expect(call).rejects.toMatchObject({
    code: 'E_SERVER_UNREACHABLE',
    message: expect.stringContaining('stopped listening') as string,
  });
});

describe('numbers that are none', () => {
  type Report = { id: number; logprob: unknown; top_logprobs: { id: number; logprob: unknown }[] };
  const cases: [name: string, spoil: (report: Report) => void, code: string][] = [
    ['null for a number', (report) => (report.logprob = null), 'E_SERVER_ANSWER'],
    ['a number as text', (report) => (report.logprob = '-1'), 'E_SERVER_ANSWER'],
    ['more than certain', (report) => report.top_logprobs.forEach((each) => (each.logprob = 5)), 'E_SERVER_ANSWER'],
    ['an id that is none', (report) => (report.top_logprobs[0] = { id: -3, logprob: -1 }), 'E_SERVER_ANSWER'],
    ['a token twice', (report) => report.top_logprobs.push(...report.top_logprobs.slice(0, 1)), 'E_SERVER_ANSWER'],
    ['an empty list', (report) => (report.top_logprobs = []), 'E_SERVER_PROBABILITIES'],
  ];
  test.each(cases)('%s', async (_name, spoil, code) => {
    const address = await spoiled('/completion', (response, whole) => {
      for (const report of (whole['completion_probabilities'] ?? []) as Report[]) spoil(report);
      response.end(JSON.stringify(whole));
    });
    await expect(open(address)).rejects.toMatchObject({ code });
  });
  test('no probabilities at all', async () => {
    const address = await spoiled('/completion', (response) => response.end('{"content":"a"}'));
    await expect(open(address)).rejects.toMatchObject({ code: 'E_SERVER_PROBABILITIES' });
  });
  test('a token beyond the vocabulary', async () => {
    const address = await spoiled('/v1/models', (response) => response.end('{"data":[{"id":"m","meta":{"n_vocab":3}}]}'));
    const model = await open(address);
    const read = [{ position: 0, ids: [], top: 50 }];
    await expect(model.forward({ tokens: Int32Array.of(1), read })).rejects.toMatchObject({ code: 'E_SERVER_ANSWER' });
  });
  test('another model than before', async () => {
    let asked = 0;
    const address = await spoiled('/completion', (response, whole) =>
      response.end(JSON.stringify({ ...whole, model: asked++ < 2 ? '/models/one.gguf' : '/models/two.gguf' })),
    );
    const model = await open(address);
    const call = model.forward({ tokens: Int32Array.of(1), read: [{ position: 0, ids: [5] }] });
    await expect(call).rejects.toMatchObject({
      code: 'E_SERVER_CHANGED',
      message: expect.not.stringContaining('/models') as string,
    });
  });
});

describe('a key', () => {
  test('is sent, and shown nowhere', async () => {
    const server = await startLlamaServer(testModels.tinyLlama, { apiKey: 'secret-key' });
    closing.push(() => server.close());
    const model = await open(server.address, 'secret-key');
    expect(JSON.stringify(model.info)).not.toContain('secret-key');
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-key']));
    await expect(open(server.address)).rejects.toMatchObject({
      code: 'E_SERVER_KEY',
      message: expect.stringContaining('none was given') as string,
    });
    await expect(open(server.address, 'wrong-key')).rejects.toMatchObject({
      code: 'E_SERVER_KEY',
      message: expect.not.stringContaining('wrong-key') as string,
    });
  });
  test('is taken out of what the server says', async () => {
    const address = await listen((request, response) =>
      response
        .writeHead(400)
        .end(JSON.stringify({ error: { message: `\u001b[31m bad ${request.headers.authorization ?? ''}` } })),
    );
    const refused = await open(address, 'secret-key').catch((error: unknown) => String(error));
    expect(refused).toContain('E_SERVER_REFUSED');
    expect(refused).not.toContain('secret-key');
    expect(refused).not.toContain('\u001b');
  });
});

test('a server that loads its model is waited for', async () => {
  let asked = 0;
  const address = await spoiled('/props', (response, whole) =>
    asked++ < 1 ? response.writeHead(503).end('{"error":{"message":"Loading model"}}') : response.end(JSON.stringify(whole)),
  );
  expect((await open(address)).info.format).toBe('remote');
});

test('a prompt that the server finds too long', async () => {
  const server = await startLlamaServer(testModels.tinyLlama, { contextLength: 8 });
  closing.push(() => server.close());
  const model = await open(server.address);
  expect(model.info.contextLength).toBe(7);
  const long = model.forward({ tokens: new Int32Array(8).fill(9), read: [] });
  await expect(long).rejects.toMatchObject({ code: 'E_CONTEXT_OVERFLOW' });
});

describe('cancelling ends the request under way', () => {
  async function hanging(): Promise<{ address: string; dropped: Promise<void>; asked: Promise<void> }> {
    let drop = (): void => undefined;
    let ask = (): void => undefined;
    const dropped = new Promise<void>((resolve) => (drop = resolve));
    const asked = new Promise<void>((resolve) => (ask = resolve));
    let completions = 0;
    const real = await startLlamaServer(testModels.tinyLlama);
    closing.push(() => real.close());
    const address = await listen((request, response) => {
      if (request.url === '/completion' && completions++ >= 2) {
        response.on('close', () => drop());
        ask();
        return;
      }
      void pass(real.address, request).then((whole) => response.end(JSON.stringify(whole)));
    });
    return { address, dropped, asked };
  }
  const request = { tokens: Int32Array.of(1), read: [{ position: 0, ids: [5] }] };

  test('by a signal', async () => {
    const { address, dropped, asked } = await hanging();
    const model = await openRemoteModel(address, { contextLength: 0 });
    const controller = new AbortController();
    const call = model.forward(request, { signal: controller.signal });
    const refused = expect(call).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await asked;
    controller.abort();
    await refused;
    await dropped;
  });
  test('by the flag of another thread', async () => {
    const { address, dropped, asked } = await hanging();
    const cancelFlag = new Int32Array(new SharedArrayBuffer(4));
    const model = await openRemoteModel(address, { contextLength: 0, cancelFlag });
    const refused = expect(model.forward(request)).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await asked;
    Atomics.store(cancelFlag, 0, 1);
    await refused;
    await dropped;
  });
});

test('nothing inside is shown', async () => {
  const server = await startLlamaServer(testModels.tinyLlama);
  closing.push(() => server.close());
  const model = await open(server.address);
  const tokens = Int32Array.of(1, 9);
  const site = { kind: 'embed' } as const;
  await expect(model.forward({ tokens, capture: [{ site }] })).rejects.toMatchObject({ code: 'E_METHOD_UNSUPPORTED' });
  await expect(model.forward({ tokens, patches: [{ site, operation: { kind: 'zero' } }] })).rejects.toMatchObject({
    code: 'E_METHOD_UNSUPPORTED',
  });
  await model.dispose();
  await expect(model.forward({ tokens, read: [] })).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
});

test.each([
  ['http://localhost:8080', 'http://localhost:8080'],
  [' HTTPS://Example.ORG/api/ ', 'https://example.org/api'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('the address %j', (given, kept) => expect(serverAddress(given)).toBe(kept));

test.each([
  'http://',
  'http://user:secret@host',
  'http://host?key=1',
  'http://host#a',
  'http://ho st',
  'http://host:99999',
  'ftp://host',
])('no address: %j', (given) => {
  let message = '';
  try {
    serverAddress(given);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain('E_SERVER_ADDRESS');
  expect(message).not.toContain('secret');
});

async function endless(response: ServerResponse): Promise<void> {
  const chunk = Buffer.alloc(65_536, ' ');
  const closed = once(response, 'close');
  while (!response.destroyed) {
    if (!response.write(chunk)) await Promise.race([once(response, 'drain'), closed]);
  }
}
