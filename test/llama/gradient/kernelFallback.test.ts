/** A kernel that cannot be used costs time and nothing else: gradients run on ggml's operators, and one line says why. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type KernelLoader, loadKernel, loadKernelFrom } from '../../../src/llama/native/kernel.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientResult, GradientTarget } from '../../../src/model/gradient.ts';
import { damagedPrebuilt } from '../native/damagedPrebuilt.ts';
import { wrongKernel } from '../native/wrongKernel.ts';
import { relativeDifference } from '../golden.ts';
import { readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

const { tokens, file } = readGradientGolden('llama');
const targets: GradientTarget[] = [{ kind: 'logit', terms: [{ position: tokens.length - 1, id: 5, weight: 1 }] }];
const at = ['embed', 'resid_mid.0', 'pattern.1', 'q.0', 'mlp_post.1'].map(parseSiteName);

async function gradientWith(gradientKernel: 'auto' | 'ggml' | KernelLoader): Promise<{ result: GradientResult; log: string }> {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0, gradientKernel });
  try {
    const result = await model.gradient({ tokens, targets, at, precision: 'dequantised' });
    await model.gradient({ tokens, targets, at });
    return { result, log: write.mock.calls.map(([text]) => String(text)).join('') };
  } finally {
    await model.dispose();
    write.mockRestore();
  }
}

let expected: GradientResult;
const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
const undo: (() => void)[] = [];
beforeAll(async () => {
  const found = await gradientWith('auto');
  expected = found.result;
  expect([expected.plan.kernel, found.log]).toEqual(loadKernel().kernel === null ? ['ggml', expect.anything()] : ['loupe', '']);
});
afterEach(() => {
  for (const action of undo.splice(0)) action();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function expectFallback({ result, log }: Awaited<ReturnType<typeof gradientWith>>, reason: RegExp): void {
  expect(result.plan.kernel).toBe('ggml');
  // Once, not at every gradient.
  expect(log.match(/The kernel for gradients is not used/g)).toHaveLength(1);
  expect(log).toMatch(reason);
  for (const [site, { shape, data }] of expected.targets[0]?.gradients ?? []) {
    const found = result.targets[0]?.gradients.get(site);
    expect(found?.shape).toEqual(shape);
    expect(relativeDifference(found?.data ?? [], data), site).toBeLessThan(1e-5);
  }
}

test.each([
  { what: 'no file', load: () => loadKernelFrom(path.join(folder, 'nowhere')), reason: /ENOENT/ },
  { what: 'a damaged file', load: () => loadKernelFrom(damagedPrebuilt(folder)), reason: /not the one/ },
  {
    what: 'a variant of another processor',
    load: () => loadKernelFrom(path.resolve('native/prebuilt'), process.arch === 'x64' ? 'neon' : 'avx2'),
    reason: /this processor/,
  },
])('$what: the same gradients on ggml', async ({ load, reason }) => {
  expectFallback(await gradientWith(load), reason);
});

const real = loadKernel().kernel;
test.skipIf(real === null).each(['matmul', 'softmaxBack', 'swigluBack'] as const)(
  'an operator %s that computes something else here: the same gradients on ggml',
  async (operator) => {
    if (real === null) return;
    const wrong = wrongKernel(real, operator);
    undo.push(() => wrong.release());
    const found = await gradientWith(() => ({ kernel: wrong.kernel, reason: null }));
    expect(wrong.calls()).toBeGreaterThan(0);
    expectFallback(found, /differs/);
  },
);
