import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeTunedLens, encodeTunedLens } from '../../../../src/analysis/lens/tuned/tunedLensFile.ts';
import { trainTunedLens } from '../../../../src/analysis/lens/tuned/tunedLens.ts';
import { openLlamaModel } from '../../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../../src/model/model.ts';
import { goldenFile } from '../../../llama/golden.ts';
import { toolOn } from '../../runTool.ts';

const text = Array.from({ length: 60 }, (_, index) => `Line ${index} of ${(index * 37) % 11} says ${(index * index) % 97}.`).join(
  '\n',
);
const ids = [3, 1, 4, 1, 5, 9];

describe('the tuned lens on a tiny model', () => {
  let model: Model;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
    vi.stubEnv('PROMPT_LOUPE_CACHE', folder);
    model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 0 });
  });
  afterAll(async () => {
    await model.dispose();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Data {
    readonly layers: readonly { readonly positions: readonly { readonly kl: number }[] }[];
    readonly tuned: { readonly tokens: number; readonly heldOut: { readonly plain: number[]; readonly tuned: number[] } };
  }
  const run = async (parameters: Record<string, string | number>) =>
    (await toolOn(model, 'lens', { ids, parameters })).data as Data;

  it('must be trained first', async () => {
    await expect(run({ reading: 'tuned' })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });

  it('comes nearer to the final prediction on text it has not seen, and is found again', async () => {
    const trained = await run({ train: text, 'train-tokens': 1200 });
    const { plain, tuned } = trained.tuned.heldOut;
    expect(plain.length).toBe(model.info.layers - 1);
    tuned.forEach((value, layer) => expect(value).toBeLessThan(plain[layer] ?? 0));
    expect(await run({ reading: 'tuned' })).toEqual(trained);
    // The last layer needs no map.
    expect(trained.layers.at(-1)?.positions.at(-1)?.kl).toBeLessThan(1e-6);
  });

  it('reads what leaves a layer and nothing else', async () => {
    await expect(run({ reading: 'tuned', site: 'mlp_out' })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
    await expect(run({ train: 'a' })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
    await expect(run({ train: text, 'train-tokens': 3 })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });

  it('is asked for again when the kept file is damaged', async () => {
    const [own = ''] = readdirSync(folder);
    writeFileSync(path.join(folder, own, 'tuned-lens.safetensors'), 'no tensors');
    await expect(run({ reading: 'tuned' })).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });

  it('is not trained where it cannot be kept', async () => {
    const file = path.join(folder, 'a file');
    writeFileSync(file, '');
    // Below a file no folder can be made; a system may also call a new folder not found.
    const places = [path.join(file, 'cache'), ...(process.platform === 'linux' ? ['/proc/nowhere'] : [])];
    for (const place of places) {
      vi.stubEnv('PROMPT_LOUPE_CACHE', place);
      await expect(run({ train: text })).rejects.toMatchObject({ code: 'E_OUTPUT_UNWRITABLE' });
    }
    vi.stubEnv('PROMPT_LOUPE_CACHE', folder);
  });

  it('survives being written down, and nothing else passes for one', async () => {
    const lens = await trainTunedLens(
      model,
      Int32Array.from({ length: 90 }, (_, index) => (index * 31) % 90),
      { ridge: 0.1 },
    );
    const bytes = encodeTunedLens(lens);
    const { layers, hidden } = model.info;
    expect(decodeTunedLens(bytes, layers, hidden)).toEqual(lens);
    expect(decodeTunedLens(bytes, layers + 1, hidden)).toBeNull();
    expect(decodeTunedLens(bytes.slice(0, -4), layers, hidden)).toBeNull();
    expect(decodeTunedLens(new Uint8Array(3), layers, hidden)).toBeNull();
  });

  it.each([4, 5, 90, 300])('holds out a part of a text of %i tokens, however short', async (length) => {
    const lens = await trainTunedLens(
      model,
      Int32Array.from({ length }, (_, index) => (index * 31) % 90),
      { ridge: 0.1 },
    );
    // Of two windows one is fitted, without its first token.
    expect(lens.tokens).toBe(Math.ceil(length / 2) - 1);
    expect([...lens.plain, ...lens.tuned].every(Number.isFinite)).toBe(true);
  });

  it('stops when it is told to', async () => {
    const training = trainTunedLens(
      model,
      Int32Array.from({ length: 90 }, (_, index) => index),
      { ridge: 0.1, signal: AbortSignal.abort() },
    );
    await expect(training).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
