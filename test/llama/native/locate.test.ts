import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { assertPinnedRelease } from '../../../src/llama/native/guard.ts';
import type { NativeFunctions } from '../../../src/llama/native/functions.ts';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';
import { librariesIn, locateLibraries } from '../../../src/llama/native/locate.ts';
import { probeLibraries } from '../../../src/llama/native/probe.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** File names as the packages of each system spell them. */
test.each([
  ['linux', ['libggml-base.so', 'libggml.v0.4.0.so', 'libllama.v0.4.0.so', 'libllama-common.so', 'libggml-cpu-haswell.so']],
  [
    'mac-metal',
    [
      'libggml-base.dylib',
      'libggml.metal.v0.4.0.dylib',
      'libllama.metal.v0.4.0.dylib',
      'libllama-common.dylib',
      'libggml-cpu-apple_m1.so',
      'libggml-blas.so',
      'libggml-metal.so',
    ],
  ],
  ['windows', ['ggml-base.dll', 'ggml.v0.4.0.dll', 'llama.v0.4.0.dll', 'llama-common.dll', 'ggml-cpu.dll']],
])('the libraries of %s are told apart', (name, files) => {
  const directory = path.join(folder, name);
  mkdirSync(directory);
  for (const file of files) writeFileSync(path.join(directory, file), '');
  const found = librariesIn(directory, name);
  expect([found.ggmlBase, found.ggml, found.llama].map((file) => path.basename(file))).toEqual(files.slice(0, 3));
  expect(found.cpu.map((file) => path.basename(file))).toEqual([files.find((file) => file.includes('cpu'))]);
});

test('a folder that is absent or incomplete is E_RUNTIME_MISSING', () => {
  expect(() => librariesIn(path.join(folder, 'nowhere'), 'test')).toThrow(/E_RUNTIME_MISSING/);
  expect(() => librariesIn(folder, 'test')).toThrow(/E_RUNTIME_MISSING/);
});

test('libraries that cannot be loaded are found out in another process', async () => {
  const files = locateLibraries();
  const broken = path.join(folder, 'libllama-broken.so');
  writeFileSync(broken, 'not a library');
  await expect(probeLibraries({ ...files, llama: broken })).rejects.toMatchObject({ code: 'E_RUNTIME_BROKEN' });
  // The same path, repaired: a new modification time, so a new probe.
  copyFileSync(files.llama, broken);
  await expect(probeLibraries({ ...files, llama: broken })).resolves.toBeUndefined();
});

test.each<[string, Partial<NativeFunctions>]>([
  ['another llama.cpp', { llama_version: () => '0.5.0-dev' }],
  ['another ggml', { ggml_commit: () => '0ad4a86' }],
  ['shifted context parameters', { llama_context_default_params: () => ({ n_ctx: 2048 }) as never }],
  ['an operator that is gone', { ggml_op_name: (op: number) => (op > 100 ? 'GLU' : `OP_${op}`) }],
])('%s is E_RUNTIME_MISMATCH', async (_, change) => {
  const { functions } = await loadLlamaLibrary();
  expect(() => assertPinnedRelease({ ...functions, ...change })).toThrow(/E_RUNTIME_MISMATCH/);
});
