import { expect, test } from 'vitest';
import { CrashGuard } from '../../../src/extension/engine/crashGuard.ts';

test.each([
  ['two crashes', [0, 1], 2, false],
  ['three close together', [0, 1, 2], 3, true],
  ['three over a long time', [0, 50, 101], 101, false],
  ['three close together, long ago', [0, 1, 2], 150, false],
] as const)('%s', (_name, crashes, now, tripped) => {
  let time = 0;
  const guard = new CrashGuard({ limit: 3, windowMilliseconds: 100, now: () => time });
  for (const crash of crashes) {
    time = crash;
    guard.record();
  }
  time = now;
  expect(guard.tripped).toBe(tripped);
  guard.reset();
  expect(guard.tripped).toBe(false);
});
