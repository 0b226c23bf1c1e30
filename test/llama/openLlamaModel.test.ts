import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { quantizationName } from '../../src/llama/modelInfo.ts';
import { modelRefusal } from '../../src/llama/modelRefusal.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import { defaultThreads } from '../../src/model/runtime/defaultThreads.ts';
import { copyModel } from './float32Copy.ts';
import { goldenArray, goldenCase, goldenFile, maximumDifference } from './golden.ts';

const file = goldenFile('tiny_llama', 'model.gguf');
const options = { threads: 1, contextLength: 0 };
const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a model says what it is', async () => {
  const progress: number[] = [];
  const model = await openLlamaModel(file, { ...options, onProgress: (done, total) => progress.push(done / total) });
  expect(model.info).toMatchObject({
    file: path.resolve(file),
    format: 'gguf',
    architecture: 'llama',
    quantization: 'F32',
    precision: 'as-served',
    layers: 3,
    heads: 4,
    kvHeads: 2,
    hidden: 64,
    headSize: 16,
    neurons: 128,
    vocabulary: 267,
    contextLength: 256,
    can: { capture: true, patch: true, gradient: true },
  });
  expect(model.info.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBe(1);
  await model.dispose();
});

test('a context longer than the model was trained for is not offered', async () => {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 100_000 });
  expect(model.info.contextLength).toBe(256);
  await expect(model.forward({ tokens: new Int32Array(257) })).rejects.toMatchObject({ code: 'E_CONTEXT_OVERFLOW' });
  expect((await model.forward({ tokens: new Int32Array(256), logits: 'last' })).nonFinite).toBeNull();
  await model.dispose();
});

test('dispose waits for what runs, may be called twice, and refuses later calls', async () => {
  const model = await openLlamaModel(file, options);
  const tokens = Int32Array.from(goldenCase('tiny_llama').ids);
  const seen: number[] = [];
  const variants = Array.from({ length: 5 }, () => ({ tokens, read: [{ position: 0, ids: [1] }] }));
  const running = model.forwardVariants({ variants }, { onResult: (index) => seen.push(index) });
  const disposing = model.dispose();
  expect((await running).length).toBe(5);
  await disposing;
  await model.dispose();
  expect(seen.length).toBe(5);
  await expect(model.forward({ tokens })).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
  await expect(model.tokenizer.encode('a')).rejects.toMatchObject({ code: 'E_MODEL_DISPOSED' });
});

test('two calls at once run one after the other', async () => {
  const model = await openLlamaModel(file, options);
  const tokens = Int32Array.from(goldenCase('tiny_llama').ids);
  const alone = await model.forward({ tokens, logits: 'all' });
  const both = await Promise.all([
    model.forward({ tokens, logits: 'all' }),
    model.forward({ tokens: tokens.slice(3), logits: 'all' }),
    model.forward({ tokens, logits: 'all' }),
  ]);
  expect(both[0]).toEqual(alone);
  expect(both[2]).toEqual(alone);
  await model.dispose();
});

test('a load that is cancelled says so', async () => {
  const cancelFlag = new Int32Array(new SharedArrayBuffer(4));
  Atomics.store(cancelFlag, 0, 1);
  await expect(openLlamaModel(file, { ...options, cancelFlag })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});

const bytes = readFileSync(file);
const damaged: [string, () => Buffer, string][] = [
  ['a tensor llama.cpp needs under another name', () => replaced('output_norm.weight', 'output_morn.weight'), 'E_MODEL_CORRUPT'],
  ['an architecture nobody knows', () => replaced('llama', 'lhama'), 'E_MODEL_UNSUPPORTED'],
  ['a file cut in the middle', () => bytes.subarray(0, bytes.length >> 1), 'E_MODEL_TRUNCATED'],
  ['another magic', () => Buffer.concat([Buffer.from('GGML'), bytes.subarray(4)]), 'E_MODEL_MAGIC'],
];

function replaced(from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

test.each(damaged)('%s is refused with a reason', async (name, content, code) => {
  const target = path.join(folder, `${name.replaceAll(' ', '-')}.gguf`);
  writeFileSync(target, content());
  await expect(openLlamaModel(target, options)).rejects.toMatchObject({ code });
});

test.each([
  ['F16', 0.1],
  ['Q8_0', 2],
] as const)('a copy as %s opens and agrees with the reference about as well as its weights do', async (type, tolerance) => {
  const copy = await copyModel(goldenFile('tiny_qwen2', 'model.gguf'), type);
  const model = await openLlamaModel(copy.file, options);
  expect(model.info.quantization).toBe(type);
  const { logits } = await model.forward({ tokens: Int32Array.from(goldenCase('tiny_qwen2').ids), logits: 'all' });
  expect(maximumDifference(logits?.values ?? [], goldenArray('tiny_qwen2', 'logits.f32'))).toBeLessThan(tolerance);
  await model.dispose();
  copy.remove();
});

test.each([
  ['all F32', 'F32'],
  ['Q4_K - Medium', 'Q4_K_M'],
  ['Q6_K', 'Q6_K'],
  ['(guessed) Q4_1', 'Q4_1'],
  ['IQ2_XXS - 2.0625 bpw', 'IQ2_XXS'],
])('%s is called %s', (name, expected) => {
  expect(quantizationName(name)).toBe(expected);
});

test.each([
  ["unknown model architecture: 'lhama'", 'E_MODEL_UNSUPPORTED'],
  ['failed to allocate buffer of size 1', 'E_OUT_OF_MEMORY'],
  ["missing tensor 'output.weight'", 'E_MODEL_CORRUPT'],
])('the log line “%s” becomes %s', (reason, code) => {
  expect(modelRefusal('m.gguf', reason)).toMatchObject({ code, parts: { why: expect.stringContaining(reason) as string } });
});

test('there is at least one thread, and no more than processors', () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1);
  expect(defaultThreads()).toBeLessThanOrEqual(os.cpus().length);
});
