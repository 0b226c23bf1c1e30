import { describe, expect, test } from 'vitest';
import { RequestQueue } from '../../src/engine/requestQueue.ts';

/** A queue, what it showed after each change (`running | waiting…`), and tasks that end when told. */
function observed() {
  const seen: string[] = [];
  const queue: RequestQueue = new RequestQueue(() => {
    seen.push(`${queue.running?.requestId ?? '-'} | ${queue.waiting.map((entry) => entry.requestId).join(' ')}`.trimEnd());
  });
  const order: string[] = [];
  const finishers = new Map<string, () => void>();
  const add = (requestId: string, signal = new AbortController().signal) =>
    queue.run({ requestId, title: requestId }, signal, async () => {
      order.push(`start ${requestId}`);
      await new Promise<void>((resolve) => finishers.set(requestId, resolve));
      order.push(`end ${requestId}`);
      return requestId;
    });
  const finish = async (requestId: string) => {
    while (!finishers.has(requestId)) await Promise.resolve();
    finishers.get(requestId)?.();
  };
  return { queue, seen, order, add, finish };
}

describe('RequestQueue', () => {
  test('runs one at a time, in the order asked for, for everyone to see', async () => {
    const { queue, seen, order, add, finish } = observed();
    const results = [add('a'), add('b'), add('c')];
    await finish('a');
    await finish('b');
    await finish('c');
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c']);
    expect(order).toEqual(['start a', 'end a', 'start b', 'end b', 'start c', 'end c']);
    expect(seen).toEqual(['- | a', '- | a b', '- | a b c', 'a | b c', '- | b c', 'b | c', '- | c', 'c |', '- |']);
    expect(queue.empty).toBe(true);
  });

  test('a waiting request that is cancelled leaves at once and never runs', async () => {
    const { queue, order, add, finish } = observed();
    const controller = new AbortController();
    const first = add('a');
    const second = add('b', controller.signal);
    const third = add('c');
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(queue.waiting.map((entry) => entry.requestId)).not.toContain('b');
    await finish('a');
    await finish('c');
    await Promise.all([first, third]);
    expect(order).toEqual(['start a', 'end a', 'start c', 'end c']);
  });

  test('a running request that is cancelled rejects at once, and the next waits until it has ended', async () => {
    const { queue, order, add, finish } = observed();
    const controller = new AbortController();
    const first = add('a', controller.signal);
    const second = add('b');
    while (queue.running === null) await Promise.resolve();
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(queue.running?.requestId).toBe('a');
    expect(order).toEqual(['start a']);
    await finish('a');
    await finish('b');
    expect(await second).toBe('b');
    expect(order).toEqual(['start a', 'end a', 'start b', 'end b']);
  });

  test('one cancelled before it was asked for is never shown as waiting for long', async () => {
    const { queue, order, add } = observed();
    await expect(add('a', AbortSignal.abort())).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(queue.empty).toBe(true);
    expect(order).toEqual([]);
  });

  test('a task that throws does not stop the queue', async () => {
    const { queue, add, finish } = observed();
    const { signal } = new AbortController();
    const failing = queue.run({ requestId: 'x', title: 'x' }, signal, () => Promise.reject(new Error('broken')));
    const next = add('a');
    await expect(failing).rejects.toThrow('broken');
    await finish('a');
    expect(await next).toBe('a');
  });
});
