/** A file of its own: the native libraries belong to the thread that loads them, so no other test here may open a model. */
import { expect, test } from 'vitest';
import { ModelThread } from '../../../src/engine/modelThread.ts';
import type { GradientRequest } from '../../../src/model/gradient.ts';
import { engineBundle } from '../../setup/engineBundle.ts';
import { bundledModel } from '../golden.ts';

test('cancelled from another thread once it has begun, and the next request gives the right bytes', async () => {
  const thread = new ModelThread({ workerFile: await engineBundle() });
  try {
    const remote = await thread.open(bundledModel, { threads: 1, contextLength: 0 });
    const ids = Int32Array.from({ length: 40 }, (_, index) => (index * 7919 + 1013) % 49_152);
    const long: GradientRequest = { tokens: ids, targets: [{ kind: 'entropy', position: 39 }], at: [{ kind: 'embed' }] };
    const expected = await remote.gradient(long);
    const stop = new AbortController();
    const running = remote.gradient(long, { signal: stop.signal, onPlan: () => stop.abort() });
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect((await remote.gradient(long)).targets).toEqual(expected.targets);
  } finally {
    await thread.end();
  }
});
