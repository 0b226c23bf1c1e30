import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineClient } from '../../../src/extension/engine/engineClient.ts';
import { weightedGrid } from '../../../src/extension/panels/weightedGrid.ts';
import type { AttentionWeighting, PromptSource } from '../../../src/shared/protocol/engine.ts';
import { engineBundle } from '../../setup/engineBundle.ts';
import { testModels } from '../../setup/testModels.ts';

const prompt: PromptSource = { text: 'The capital of France is', format: 'text', mode: 'raw' };
const weighting: AttentionWeighting = { target: { kind: 'next' }, maxTokens: 1, seed: 0 };
const request = { prompt, size: 8 };

let client: EngineClient;
beforeEach(async () => {
  client = new EngineClient({
    engineFile: await engineBundle(),
    log: () => undefined,
    startOptions: () => ({ idleMilliseconds: 0, inspectPort: 0 }),
  });
});
afterEach(() => client.dispose());

const load = (gradientBytes: number) => client.load(testModels.tinyLlama, { threads: 1, contextLength: 512, gradientBytes });

test('weighted by the gradient: signed, with what it is weighted by', async () => {
  await load(0);
  const phases = new Set<string>();
  const { grid, refused, ...rest } = await weightedGrid(client, request, weighting, {
    onProgress: ({ phase }) => phases.add(phase),
  });
  expect(refused).toBeNull();
  expect(rest.weighting).toEqual(weighting);
  expect(grid.weightedBy?.unit).toBe('nat');
  expect(
    [...phases].some((phase) => /^gradient \(.+B\)$/.test(phase)),
    [...phases].join(),
  ).toBe(true);
  expect(grid.thumbnails.some((value) => value < 0)).toBe(true);
});

test('a gradient that does not fit in memory: plain attention, and why', async () => {
  await load(1000);
  const { grid, refused, ...rest } = await weightedGrid(client, request, weighting, {});
  expect([refused?.code, rest.weighting, grid.weightedBy]).toEqual(['E_GRADIENT_MEMORY', null, undefined]);
  expect(grid.thumbnails).toEqual((await client.attentionGrid(request)).thumbnails);
});

test('plain attention asks for no gradient', async () => {
  await load(1000);
  const { refused, grid } = await weightedGrid(client, request, null, {});
  expect([refused, grid.weightedBy]).toEqual([null, undefined]);
});

test('a cancelled run stays cancelled', async () => {
  await load(0);
  const controller = new AbortController();
  const running = weightedGrid(client, request, weighting, { signal: controller.signal });
  controller.abort();
  await expect(running).rejects.toMatchObject({ kind: 'cancelled' });
});
