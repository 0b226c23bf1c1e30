import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenForWriting, writeAtomically } from '../../src/analysis/atomicFile.ts';
import { safetensorsHeader, tensorData } from '../../src/analysis/safetensors.ts';
import { parseSites } from '../../src/analysis/siteList.ts';
import { siteShape } from '../../src/analysis/siteShape.ts';
import { siteName } from '../../src/model/sites.ts';
import { createLinearModel } from '../attribution/linearModel.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loupe-file-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the header as the format describes it', () => {
  const header = safetensorsHeader(
    [
      { name: 'embed', shape: [2, 3] },
      { name: 'pattern.0', shape: [1, 2, 2] },
    ],
    { tokens: '[1,2]' },
  );
  const length = Number(new DataView(header.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  expect(header.length).toBe(8 + length);
  expect(JSON.parse(new TextDecoder().decode(header.subarray(8)))).toEqual({
    __metadata__: { tokens: '[1,2]' },
    embed: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'pattern.0': { dtype: 'F32', shape: [1, 2, 2], data_offsets: [24, 40] },
  });
  expect([...tensorData(Float32Array.of(1))]).toEqual([0, 0, 0x80, 0x3f]);
});

describe('a file appears whole or not at all', () => {
  const bytes = new TextEncoder().encode('new');

  test('written, and nothing else left', async () => {
    const out = join(folder, 'a.csv');
    await writeFile(out, 'old');
    expect(await writeAtomically(out, (append) => append(bytes))).toBe(3);
    expect(await readFile(out, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  test('a full disk', async () => {
    const out = join(folder, 'a.csv');
    await writeFile(out, 'old');
    const full: OpenForWriting = () =>
      Promise.resolve({
        write: () =>
          Promise.reject(
            Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
          ),
        sync: () => Promise.resolve(),
        close: () => Promise.resolve(),
      });
    await expect(writeAtomically(out, (append) => append(bytes), full)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect(await readFile(out, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  // /dev/full is a disk that is always full.
  test.runIf(process.platform === 'linux')('a disk that is really full', async () => {
    const { open } = await import('node:fs/promises');
    const out = join(folder, 'a.csv');
    const full: OpenForWriting = () => open('/dev/full', 'w');
    await expect(writeAtomically(out, (append) => append(bytes), full)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('an error half-way', async () => {
    const failure = writeAtomically(join(folder, 'a'), async (append) => {
      await append(bytes);
      throw new Error('half-way');
    });
    await expect(failure).rejects.toThrow('half-way');
    expect(await readdir(folder)).toEqual([]);
  });

  test('places that cannot be written', async () => {
    await expect(writeAtomically(join(folder, 'none', 'a'), (append) => append(bytes))).rejects.toMatchObject({
      code: 'E_OUTPUT_UNWRITABLE',
    });
    await expect(writeAtomically(folder, (append) => append(bytes))).rejects.toMatchObject({ code: 'E_OUTPUT_UNWRITABLE' });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('sites as a user lists them', () => {
  const info = { layers: 3 };
  const cases: [names: string[], layers: number[], expected: string[]][] = [
    [['embed', 'logits'], [], ['embed', 'logits']],
    [['resid_post'], [], ['resid_post.0', 'resid_post.1', 'resid_post.2']],
    [['resid_post'], [2, 0], ['resid_post.2', 'resid_post.0']],
    [['pattern.1', 'pattern', 'z.2'], [1], ['pattern.1', 'z.2']],
    [[' final_norm '], [], ['final_norm']],
  ];
  test.each(cases)('%j at layers %j', (names, layers, expected) => {
    expect(parseSites(names, layers, info).map(siteName)).toEqual(expected);
  });

  const wrong: [names: string[], layers: number[], message: RegExp][] = [
    [['residual'], [], /E_SITE_UNKNOWN.*embed, final_norm, logits, resid_pre/],
    [['pattern.'], [], /E_SITE_UNKNOWN/],
    [['logits.2'], [], /E_SITE_UNKNOWN.*has no layers/],
    [['__proto__'], [], /E_SITE_UNKNOWN/],
    [[''], [], /E_SITE_UNKNOWN/],
    [[], [], /E_SITE_UNKNOWN/],
    [['pattern.3'], [], /E_LAYER_RANGE/],
    [['pattern.-1'], [], /E_LAYER_RANGE/],
    [['pattern'], [7], /E_LAYER_RANGE/],
    [['pattern'], [0.5], /E_LAYER_RANGE/],
  ];
  test.each(wrong)('%j at layers %j is refused', (names, layers, message) => {
    expect(() => parseSites(names, layers, info)).toThrow(message);
  });
});

test('shapes of sites', () => {
  const { info } = createLinearModel();
  const shape = (kind: Parameters<typeof siteShape>[0]['kind']) => siteShape({ kind }, info, 7);
  expect(shape('embed')).toEqual([7, 4]);
  expect(shape('resid_post')).toEqual([7, 4]);
  expect(shape('pattern')).toEqual([2, 7, 7]);
  expect(shape('z')).toEqual([7, 2, 2]);
  expect(shape('k')).toEqual([7, 1, 2]);
  expect(shape('mlp_post')).toEqual([7, 5]);
  expect(shape('logits')).toEqual([7, info.vocabulary]);
});
