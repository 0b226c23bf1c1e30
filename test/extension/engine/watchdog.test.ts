import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from '../../../src/extension/engine/watchdog.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched() {
  const heard = { ticks: 0, silences: 0 };
  const watchdog = new Watchdog({
    tickMilliseconds: 10,
    ticksAllowed: 2,
    onTick: () => {
      heard.ticks += 1;
    },
    onSilence: () => {
      heard.silences += 1;
    },
  });
  return { heard, watchdog };
}

test('silence is told once, after the allowed ticks', () => {
  const { heard, watchdog } = watched();
  watchdog.start();
  vi.advanceTimersByTime(20);
  expect(heard).toEqual({ ticks: 2, silences: 0 });
  vi.advanceTimersByTime(100);
  expect(heard).toEqual({ ticks: 2, silences: 1 });
});

test('a sign of life starts the count again', () => {
  const { heard, watchdog } = watched();
  watchdog.start();
  for (let round = 0; round < 5; round += 1) {
    vi.advanceTimersByTime(20);
    watchdog.sign();
  }
  expect(heard).toEqual({ ticks: 10, silences: 0 });
});

test('a stopped watchdog is silent, a started one counts from zero', () => {
  const { heard, watchdog } = watched();
  watchdog.start();
  vi.advanceTimersByTime(20);
  watchdog.stop();
  vi.advanceTimersByTime(100);
  watchdog.start();
  vi.advanceTimersByTime(20);
  expect(heard.silences).toBe(0);
});
