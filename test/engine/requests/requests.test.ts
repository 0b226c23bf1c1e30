import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attentionGrid, attentionHead } from '../../../src/engine/requests/attention.ts';
import { captureToFile } from '../../../src/engine/requests/capture.ts';
import { generateText } from '../../../src/engine/requests/generate.ts';
import { logprobs } from '../../../src/engine/requests/logprobs.ts';
import { createLinearModel, headPattern, linearInfo } from '../../attribution/linearModel.ts';
import { recordRequest } from './requestRecorder.ts';

const prompt = { text: 'The cat sat', format: 'text', mode: 'raw' } as const;
const model = createLinearModel();

describe('logprobs', () => {
  test('every token given those before, and what comes next', async () => {
    const result = await logprobs(recordRequest(model), { prompt, top: 4 });
    expect(result.tokens[0]).toMatchObject({ logprob: null, rank: null, top: [] });
    const ids = result.tokens.map((token) => token.id);
    for (const [index, token] of result.tokens.entries()) {
      if (index === 0) continue;
      const { read } = await model.forward({
        tokens: Int32Array.from(ids.slice(0, index)),
        read: [{ position: index - 1, ids: [token.id], top: 4 }],
      });
      const row = read[0];
      expect(token.logprob).toBe((row?.logits[0] ?? 0) - (row?.logSumExp ?? 0));
      expect(token.rank).toBe(row?.ranks[0]);
      expect(token.top.map((other) => other.id)).toEqual(row?.top.map((other) => other.id));
    }
    expect(result.next.top).toHaveLength(4);
  });

  test('a beginning token gives the first word a log-probability', async () => {
    const result = await logprobs(recordRequest(createLinearModel({ addBos: true })), { prompt, top: 0 });
    expect(result.tokens.map((token) => token.logprob === null)).toEqual([true, false, false, false]);
    expect(result.next.top).toEqual([]);
  });

  test('NaN', async () => {
    const poisoned = createLinearModel({ poison: (await model.tokenizer.encode('The')).tokens[0]?.id ?? 0 });
    await expect(logprobs(recordRequest(poisoned), { prompt, top: 1 })).rejects.toMatchObject({ code: 'E_NUMERIC' });
  });
});

test('generate streams what it returns', async () => {
  const context = recordRequest(model);
  const result = await generateText(context, { prompt, maxTokens: 4, temperature: 0, seed: 1, top: 2 });
  expect(context.texts.join('')).toBe(result.text);
  expect(result.tokens).toHaveLength(4);
  expect(result.tokens[0]?.alternatives).toHaveLength(2);
  expect(result.finish).toBe('length');
});

describe('attention', () => {
  const { layers, heads } = linearInfo;

  test('one head whole', async () => {
    const { tokens, shape, values } = await attentionHead(recordRequest(model), { prompt, layer: 2, head: 1 });
    expect(shape).toEqual([3, 3]);
    expect(values).toEqual(
      Float32Array.from(
        headPattern(
          tokens.map((token) => token.id),
          2,
          1,
        ),
      ),
    );
  });

  test('all heads small', async () => {
    const grid = await attentionGrid(recordRequest(model), { prompt, size: 2 });
    expect(grid).toMatchObject({ layers, heads, size: 2 });
    expect(grid.thumbnails).toHaveLength(layers * heads * 2 * 2);
    const head = headPattern(
      grid.tokens.map((token) => token.id),
      1,
      1,
    );
    const block = Math.max(...[0, 1].flatMap((query) => [0, 1].map((key) => head[query * 3 + key] ?? 0)));
    expect(grid.thumbnails[(1 * heads + 1) * 4]).toBe(Math.fround(block));
  });

  test('thumbnails are never larger than the prompt', async () => {
    for (const [size, expected] of [
      [64, 3],
      [0, 1],
      [-3, 1],
      [Number.NaN, 1],
    ] as const) {
      expect((await attentionGrid(recordRequest(model), { prompt, size })).size).toBe(expected);
    }
  });

  const wrong: [layer: number, head: number, code: string][] = [
    [3, 0, 'E_LAYER_RANGE'],
    [-1, 0, 'E_LAYER_RANGE'],
    [0.5, 0, 'E_LAYER_RANGE'],
    [0, 2, 'E_HEAD_RANGE'],
    [0, -1, 'E_HEAD_RANGE'],
  ];
  test.each(wrong)('layer %d head %d', async (layer, head, code) => {
    await expect(attentionHead(recordRequest(model), { prompt, layer, head })).rejects.toMatchObject({ code });
  });

  test('a model that shows none', async () => {
    const blind = createLinearModel({ capture: false });
    await expect(attentionGrid(recordRequest(blind), { prompt, size: 8 })).rejects.toMatchObject({
      code: 'E_METHOD_UNSUPPORTED',
    });
    await expect(attentionHead(recordRequest(blind), { prompt, layer: 0, head: 0 })).rejects.toMatchObject({
      code: 'E_METHOD_UNSUPPORTED',
    });
  });
});

describe('capture', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-capture-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('the file holds the tensors by name, and what they were made from', async () => {
    const out = join(folder, 'out.safetensors');
    const result = await captureToFile(recordRequest(model), { prompt, sites: ['pattern', 'embed'], layers: [2, 0], out });
    expect(result.tensors.map((tensor) => tensor.name)).toEqual(['pattern.2', 'pattern.0', 'embed']);
    const file = await readFile(out);
    expect(file.length).toBe(result.bytes);
    const length = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
      string,
      { shape: number[]; data_offsets: [number, number] }
    >;
    expect(header.__metadata__).toMatchObject({ model_sha256: '0'.repeat(64), precision: 'as-served' });
    const entry = header['pattern.0'];
    expect(entry?.shape).toEqual([2, 3, 3]);
    const [from = 0] = entry?.data_offsets ?? [];
    const { tokens } = await model.tokenizer.encode(prompt.text);
    const ids = tokens.map((token) => token.id);
    const expected = [...headPattern(ids, 0, 0), ...headPattern(ids, 0, 1)];
    expected.forEach((value, index) => {
      expect(file.readFloatLE(8 + length + from + 4 * index)).toBe(Math.fround(value));
    });
    expect(await readdir(folder)).toEqual(['out.safetensors']);
  });

  const wrong: [name: string, sites: string[], code: string][] = [
    ['unknown site', ['neurons'], 'E_SITE_UNKNOWN'],
    ['unknown layer', ['pattern.9'], 'E_LAYER_RANGE'],
    ['a site the model gives in another shape', ['mlp_post.0'], 'E_SITE_UNKNOWN'],
  ];
  test.each(wrong)('%s leaves nothing behind', async (_name, sites, code) => {
    const out = join(folder, 'out.safetensors');
    await expect(captureToFile(recordRequest(model), { prompt, sites, layers: [], out })).rejects.toMatchObject({ code });
    expect(await readdir(folder)).toEqual([]);
  });

  test('a folder that is not there', async () => {
    const out = join(folder, 'none', 'out.safetensors');
    await expect(captureToFile(recordRequest(model), { prompt, sites: ['embed'], layers: [], out })).rejects.toMatchObject({
      code: 'E_OUTPUT_UNWRITABLE',
    });
  });

  test('cancelled half-way leaves nothing behind', async () => {
    const controller = new AbortController();
    const context = recordRequest(model, controller.signal);
    const cancelling = { ...context, progress: () => controller.abort() };
    await expect(
      captureToFile(cancelling, { prompt, sites: ['embed'], layers: [], out: join(folder, 'a') }),
    ).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(await readdir(folder)).toEqual([]);
  });
});
