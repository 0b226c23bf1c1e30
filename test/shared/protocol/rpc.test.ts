import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { portChannel } from '../../../src/engine/portChannel.ts';
import { engineCrashed, modelNotLoaded } from '../../../src/shared/errorCatalog.ts';
import { createRpcPeer, type RpcHandlers } from '../../../src/shared/protocol/rpc.ts';

interface Methods {
  double(values: Float32Array): Float32Array;
  fail(how: keyof typeof faults): void;
  wait(): void;
  uncloneable(): unknown;
  parts(): { part: Float32Array };
}

interface Events {
  started(requestId: string): void;
}

const faults = {
  'a known error': () => {
    throw modelNotLoaded();
  },
  'an unknown error': () => {
    throw new TypeError('broken');
  },
  'a string': () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a handler's library may do so
    throw 'broken';
  },
  nothing: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a handler's library may do so
    throw undefined;
  },
};

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Two peers on a real message channel; `aborted` collects the requests whose handler was told to stop. */
function connect(onStarted: (requestId: string) => void = () => undefined) {
  const { port1, port2 } = new MessageChannel();
  closers.push(() => port1.close());
  const aborted: string[] = [];
  const handlers: RpcHandlers<Methods, AbortSignal> = {
    double: (_call, values) => values.map((value) => 2 * value),
    fail: (_call, how) => faults[how](),
    wait: ({ requestId, signal }) => {
      server.emit('started', requestId);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(requestId);
          reject(new Error('stopped'));
        });
      });
    },
    uncloneable: () => () => undefined,
    parts: () => ({ part: new Float32Array([1, 2, 3, 4]).subarray(1, 3) }),
  };
  const newController = () => new AbortController();
  const server = createRpcPeer<Methods, object, Events, object, AbortSignal>({
    channel: portChannel(port1, false),
    handlers,
    newController,
  });
  const client = createRpcPeer<object, Methods, object, Events, AbortSignal>({
    channel: portChannel(port2, false),
    handlers: {},
    listeners: { started: onStarted },
    newController,
  });
  return { client, server, aborted };
}

describe('the four failures reject the caller', () => {
  test.each([
    ['a known error', 'E_MODEL_NOT_LOADED', 'none was chosen, or the last one could not be opened'],
    ['an unknown error', 'E_INTERNAL', 'broken'],
    ['a string', 'E_INTERNAL', 'broken'],
    ['nothing', 'E_INTERNAL', 'undefined'],
  ] as const)('the handler throws %s', async (how, code, why) => {
    const { client } = connect();
    await expect(client.call('fail', [how])).rejects.toMatchObject({ name: 'LoupeError', code, parts: { why } });
  });

  test('the peer exits', async () => {
    const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => process.exit(3))", { eval: true });
    const peer = createRpcPeer<object, Methods, object, Events, AbortSignal>({
      channel: portChannel(worker, false),
      handlers: {},
      newController: () => new AbortController(),
    });
    worker.once('exit', (code) => peer.close(engineCrashed(`code ${code}`)));
    const calls = [peer.call('wait', []), peer.call('double', [new Float32Array(1)])];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'E_ENGINE_CRASHED', parts: { why: 'code 3' } });
    await expect(peer.call('wait', [])).rejects.toMatchObject({ code: 'E_ENGINE_CRASHED' });
  });

  test('the caller cancels: the handler is told, and a later call works', async () => {
    const controller = new AbortController();
    const { client, aborted } = connect(() => controller.abort());
    await expect(client.call('wait', [], { requestId: 'mine', signal: controller.signal })).rejects.toMatchObject({
      code: 'E_CANCELLED',
      kind: 'cancelled',
    });
    await client.ping();
    expect(aborted).toEqual(['mine']);
    await expect(client.call('wait', [], { signal: controller.signal })).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(await client.call('double', [new Float32Array([2])])).toEqual(new Float32Array([4]));
  });

  test.each(['missing', 'constructor', 'toString', '__proto__', 'then'])('the method is unknown: %s', async (method) => {
    const { client } = connect();
    await expect(client.call(method as keyof Methods, [] as never)).rejects.toMatchObject({ code: 'E_RPC_METHOD_UNKNOWN' });
  });
});

describe('what cannot cross rejects the caller too', () => {
  test('an answer that cannot be cloned', async () => {
    const { client } = connect();
    await expect(client.call('uncloneable', [])).rejects.toMatchObject({ code: 'E_INTERNAL' });
  });

  test('a parameter that cannot be cloned', async () => {
    const { client } = connect();
    const values = (() => undefined) as unknown as Float32Array;
    await expect(client.call('double', [values])).rejects.toMatchObject({ code: 'E_INTERNAL' });
  });
});

test('closing aborts the handlers that run for the other end', async () => {
  let onStarted = () => undefined as void;
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const { client, server, aborted } = connect(() => onStarted());
  const call = client.call('wait', [], { requestId: 'lost' });
  await started;
  server.close(engineCrashed('closed'));
  client.close(engineCrashed('closed'));
  await expect(call).rejects.toMatchObject({ code: 'E_ENGINE_CRASHED' });
  expect(aborted).toEqual(['lost']);
});

test('typed arrays arrive as their own', async () => {
  const { client } = connect();
  const { part } = await client.call('parts', []);
  expect(part).toEqual(new Float32Array([2, 3]));
  expect(part.buffer.byteLength).toBe(8);
});

test('an event nobody listens to is ignored', async () => {
  const { client, server } = connect();
  server.emit('started', 'a');
  (server as unknown as { emit(name: string): void }).emit('constructor');
  await client.ping();
});

test('a port that closed does not throw at whoever answers', async () => {
  const { port1, port2 } = new MessageChannel();
  const peer = createRpcPeer<Methods, object, Events, object, AbortSignal>({
    channel: portChannel(port1, false),
    handlers: {} as RpcHandlers<Methods, AbortSignal>,
    newController: () => new AbortController(),
  });
  port2.close();
  await once(port1, 'close');
  peer.emit('started', 'a');
});
