import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamVectors } from '../../../src/analysis/lens/lensVectors.ts';
import { logitLens } from '../../../src/analysis/lens/logitLens.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { copyModel, type ModelCopy } from '../../llama/float32Copy.ts';
import { bundledModel, goldenCase, goldenFile, maximumDifference } from '../../llama/golden.ts';

/** Row l: resid[l], of which resid[0] are the embeddings and resid[l] leaves block l − 1. Last position, but for `top1_all_positions`. */
interface GoldenLens {
  readonly top5_ids: readonly (readonly number[])[];
  readonly target_logprob: readonly number[];
  readonly target_rank: readonly number[];
  readonly kl_final: readonly number[];
  readonly top1_all_positions: readonly (readonly number[])[];
}

/** Every row of the golden: the embeddings, then what leaves each block. */
async function lensOf(model: Model, name: string) {
  const { ids, target_ids: targets } = goldenCase(name);
  const tokens = Int32Array.from(ids);
  const positions = ids.map((_, position) => position);
  const layers = Array.from({ length: model.info.layers }, (_, layer) => layer);
  const request = { tokens, positions };
  const first = await streamVectors(model, 'resid_pre', { ...request, layers: [0] });
  const { final, rows } = await streamVectors(model, 'resid_post', { ...request, layers });
  const question = { targets: positions.map(() => targets[0] ?? 0), next: positions.map(() => null), top: 5 };
  const { cells } = await logitLens(model, { final, rows: [...first.rows, ...rows], isSum: true }, question);
  const golden = JSON.parse(readFileSync(goldenFile(name, 'lens.json'), 'utf8')) as GoldenLens;
  return { cells, golden, last: positions.length - 1 };
}

describe('the F32 copy of the bundled model against PyTorch', () => {
  let copy: ModelCopy;
  let model: Model;
  beforeAll(async () => {
    copy = await copyModel(bundledModel, 'F32');
    model = await openLlamaModel(copy.file, { threads: 1, contextLength: 64 });
  });
  afterAll(async () => {
    await model.dispose();
    copy.remove();
  });

  test.each(['fact', 'ioi'])('%s', async (name) => {
    const { cells, golden, last } = await lensOf(model, name);
    const at = cells.map((row) => row[last]);
    expect(at.map((cell) => cell?.top.map(({ id }) => id))).toEqual(golden.top5_ids);
    // The golden counts from 0.
    expect(at.map((cell) => (cell?.targetRank ?? 0) - 1)).toEqual(golden.target_rank);
    const scaled = (values: readonly number[], scale: readonly number[]) =>
      values.map((value, row) => value / Math.max(1, Math.abs(scale[row] ?? 1)));
    const close = (found: readonly number[], expected: readonly number[]) =>
      expect(maximumDifference(scaled(found, expected), scaled(expected, expected))).toBeLessThan(1e-4);
    close(
      at.map((cell) => cell?.targetLogprob ?? Number.NaN),
      golden.target_logprob,
    );
    close(
      at.map((cell) => cell?.kl ?? Number.NaN),
      golden.kl_final,
    );
    expect(cells.map((row) => row.map(({ top }) => top[0]?.id))).toEqual(golden.top1_all_positions);
  });
});

test('the bundled file itself, with its 8-bit activations', async () => {
  const model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 64 });
  try {
    const { cells, golden, last } = await lensOf(model, 'fact');
    const at = cells.map((row) => row[last]);
    const agreeing = at.filter((cell, row) => cell?.top[0]?.id === golden.top5_ids[row]?.[0]).length;
    expect(agreeing).toBeGreaterThanOrEqual(24);
    expect(at.at(-1)?.top[0]?.id).toBe(golden.top5_ids.at(-1)?.[0]);
    expect(at.at(-1)?.kl).toBeCloseTo(0, 6);
  } finally {
    await model.dispose();
  }
});
