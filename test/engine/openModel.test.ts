import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recogniseModel } from '../../src/engine/openModel.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'prompt-loupe-open-'));
const file = (name: string) => path.join(folder, name);

beforeAll(() => {
  mkdirSync(file('folder'));
  writeFileSync(file('empty.gguf'), '');
  writeFileSync(file('short.gguf'), 'GG');
  writeFileSync(file('other.gguf'), 'PK\u0003\u0004 a zip');
  writeFileSync(file('model.onnx'), Buffer.from([8, 7, 18, 0]));
  writeFileSync(file('good.gguf'), 'GGUF');
  writeFileSync(file('renamed.bin'), 'GGUF\u0003');
  writeFileSync(file('secret.gguf'), 'GGUF');
  chmodSync(file('secret.gguf'), 0o000);
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['missing.gguf', 'E_MODEL_NOT_FOUND', /never downloaded/],
  ['good.gguf/below', 'E_MODEL_NOT_FOUND', /never downloaded/],
  ['empty.gguf', 'E_MODEL_UNSUPPORTED', /empty/],
  ['short.gguf', 'E_MODEL_UNSUPPORTED', /GGUF/],
  ['other.gguf', 'E_MODEL_UNSUPPORTED', /GGUF/],
])('%s gives %s', async (name, code, why) => {
  await expect(recogniseModel(file(name))).rejects.toMatchObject({
    code,
    kind: 'model',
    parts: { why: expect.stringMatching(why) },
  });
});

test.each(['model.onnx', 'folder'])('%s is taken for an ONNX model, or a folder with one', async (name) => {
  expect((await recogniseModel(file(name))).id).toBe('onnx');
});

test.each(['good.gguf', 'renamed.bin'])('%s is told by its first bytes, whatever its name', async (name) => {
  expect((await recogniseModel(file(name))).id).toBe('gguf');
});

// The superuser may read everything.
test.runIf(process.getuid?.() !== 0 && process.platform !== 'win32')(
  'a file without permission gives E_MODEL_UNREADABLE',
  async () => {
    await expect(recogniseModel(file('secret.gguf'))).rejects.toMatchObject({ code: 'E_MODEL_UNREADABLE' });
  },
);
