import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressDelayMilliseconds, withDelayedProgress } from '../../src/extension/progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A notification that remembers what it was told and can be cancelled. */
function notification() {
  const told: { message?: string; increment?: number }[] = [];
  const seen = { shown: 0, closed: 0, told, cancel: () => {} };
  type Surface = Parameters<typeof withDelayedProgress>[0];
  const withProgress: Surface = async (_options, task) => {
    seen.shown += 1;
    const token = {
      isCancellationRequested: false,
      onCancellationRequested: (listener: (event: unknown) => unknown) => {
        seen.cancel = () => listener(undefined);
        return { dispose: () => {} };
      },
    };
    await task({ report: (value) => told.push(value) }, token);
    seen.closed += 1;
  };
  return { seen, withProgress };
}

const options = { location: 15, title: 'work', cancellable: true };

test('quick work shows nothing and leaves no timer', async () => {
  const { seen, withProgress } = notification();
  const result = await withDelayedProgress(withProgress, options, new AbortController(), () => Promise.resolve(7));
  expect([result, seen.shown, vi.getTimerCount()]).toEqual([7, 0, 0]);
});

test('slow work shows how far it is, from the start, and closes', async () => {
  const { seen, withProgress } = notification();
  let finish: (value: string) => void = () => {};
  let report: (message: string, done?: number, total?: number) => void = () => {};
  const work = withDelayedProgress(withProgress, options, new AbortController(), (tell) => {
    report = tell;
    return new Promise<string>((resolve) => {
      finish = resolve;
    });
  });
  report('early', 1, 4);
  await vi.advanceTimersByTimeAsync(progressDelayMilliseconds);
  report('later', 2, 4);
  report('back', 1, 4);
  finish('done');
  expect(await work).toBe('done');
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.told).toEqual([{ message: 'early', increment: 25 }, { message: 'later', increment: 25 }, { message: 'back' }]);
  expect([seen.shown, seen.closed, vi.getTimerCount()]).toEqual([1, 1, 0]);
});

test('its cancel button aborts the work', async () => {
  const { seen, withProgress } = notification();
  const controller = new AbortController();
  const work = withDelayedProgress(
    withProgress,
    options,
    controller,
    () =>
      new Promise<never>((_resolve, reject) => {
        controller.signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  );
  const outcome = expect(work).rejects.toThrow('aborted');
  await vi.advanceTimersByTimeAsync(progressDelayMilliseconds);
  seen.cancel();
  await outcome;
  await vi.advanceTimersByTimeAsync(0);
  expect([controller.signal.aborted, seen.closed]).toEqual([true, 1]);
});

test('work that fails quickly shows nothing', async () => {
  const { seen, withProgress } = notification();
  await expect(
    withDelayedProgress(withProgress, options, new AbortController(), () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no');
  expect([seen.shown, vi.getTimerCount()]).toEqual([0, 0]);
});
