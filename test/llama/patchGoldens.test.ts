import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../src/model/model.ts';
import type { Site } from '../../src/model/sites.ts';
import { copyModel, type ModelCopy } from './float32Copy.ts';
import { bundledModel, goldenArray, goldenCase, goldenFile } from './golden.ts';

/** Logits of the F32 copy agree with the reference to 6e-5; a difference of two of them to twice that, with room. */
const tolerance = 5e-4;

let copy: ModelCopy;
let model: Model;
beforeAll(async () => {
  copy = await copyModel(bundledModel, 'F32');
  model = await openLlamaModel(copy.file, { threads: 1, contextLength: 256 });
});
afterAll(async () => {
  await model.dispose();
  copy.remove();
});

const ioi = goldenCase('ioi');
const corrupt = (JSON.parse(readFileSync(goldenFile('ioi', 'patch.json'), 'utf8')) as { corrupt_ids: number[] }).corrupt_ids;
const clean = Int32Array.from(ioi.ids);
const T = clean.length;
const H = 9;

/** z_target − z_contrast at the last position. */
async function logitDifference(tokens: Int32Array, patches: Patch[]): Promise<number> {
  const ids = [ioi.target_ids[0] as number, ioi.contrast_id];
  const { read } = await model.forward({ tokens, patches, read: [{ position: T - 1, ids }] });
  const [a = Number.NaN, b = Number.NaN] = read[0]?.logits ?? [];
  return a - b;
}

async function activation(tokens: Int32Array, site: Site): Promise<Float32Array> {
  const { captured } = await model.forward({ tokens, capture: [{ site }] });
  return [...captured.values()][0]?.data ?? new Float32Array();
}

const layers = [0, 13, 29];

test.each(layers)('layer %i: zero and mean ablation of heads, attention and MLP', async (layer) => {
  const z: Site = { kind: 'z', layer };
  for (const head of [0, 4, 8]) {
    const zeroed = await logitDifference(clean, [{ site: z, heads: [head], operation: { kind: 'zero' } }]);
    expect(Math.abs(zeroed - (goldenArray('ioi', 'ablate_head_zero.f32')[layer * H + head] as number))).toBeLessThan(tolerance);
    const averaged = await logitDifference(clean, [{ site: z, heads: [head], operation: { kind: 'mean' } }]);
    expect(Math.abs(averaged - (goldenArray('ioi', 'ablate_head_mean.f32')[layer * H + head] as number))).toBeLessThan(tolerance);
  }
  for (const [kind, file] of [
    ['attn_out', 'ablate_attn_zero.f32'],
    ['mlp_out', 'ablate_mlp_zero.f32'],
  ] as const) {
    const found = await logitDifference(clean, [{ site: { kind, layer }, operation: { kind: 'zero' } }]);
    expect(Math.abs(found - (goldenArray('ioi', file)[layer] as number))).toBeLessThan(tolerance);
  }
});

test.each(layers)('layer %i: clean activations patched into the corrupt run, and the other way round', async (layer) => {
  const corrupted = Int32Array.from(corrupt);
  const grids = [
    ['resid_pre', 'patch_resid_pre_denoise.f32', clean, corrupted],
    ['resid_pre', 'patch_resid_pre_noise.f32', corrupted, clean],
    ['attn_out', 'patch_attn_out_denoise.f32', clean, corrupted],
    ['mlp_out', 'patch_mlp_out_denoise.f32', clean, corrupted],
  ] as const;
  for (const [kind, file, from, into] of grids) {
    const source = await activation(from, { kind, layer });
    const width = source.length / T;
    for (const position of [1, 9, 13]) {
      const values = source.slice(position * width, (position + 1) * width);
      const found = await logitDifference(into, [
        { site: { kind, layer }, positions: [position], operation: { kind: 'overwrite', values } },
      ]);
      expect(Math.abs(found - (goldenArray('ioi', file)[layer * T + position] as number))).toBeLessThan(tolerance);
    }
  }
  const z = await activation(clean, { kind: 'z', layer }); // [T, H, S]
  const size = z.length / T / H;
  for (const head of [2, 7]) {
    const values = Float32Array.from(
      { length: T * size },
      (_, index) => z[(Math.floor(index / size) * H + head) * size + (index % size)] as number,
    );
    const found = await logitDifference(corrupted, [
      { site: { kind: 'z', layer }, heads: [head], operation: { kind: 'overwrite', values } },
    ]);
    expect(Math.abs(found - (goldenArray('ioi', 'patch_head_z_denoise.f32')[layer * H + head] as number))).toBeLessThan(
      tolerance,
    );
  }
});

test('causal tracing: noise on the subject, one clean state restored', async () => {
  const fact = goldenCase('fact');
  const trace = JSON.parse(readFileSync(goldenFile('fact', 'trace.json'), 'utf8')) as {
    subject_positions: number[];
    p_corrupt: number;
  };
  const tokens = Int32Array.from(fact.ids);
  const noise: Patch = {
    site: { kind: 'embed' },
    positions: trace.subject_positions,
    operation: { kind: 'add', values: goldenArray('fact', 'trace_noise.f32') },
  };
  const probability = async (patches: Patch[]) => {
    const [row] = (
      await model.forward({ tokens, patches, read: [{ position: tokens.length - 1, ids: fact.target_ids.slice(0, 1) }] })
    ).read;
    return Math.exp((row?.logits[0] ?? Number.NaN) - (row?.logSumExp ?? 0));
  };
  expect(Math.abs((await probability([noise])) - trace.p_corrupt)).toBeLessThan(1e-4);
  const expected = goldenArray('fact', 'trace_resid.f32'); // [L, T]
  for (const [layer, position] of [
    [0, 3],
    [12, 3],
    [12, 4],
    [29, 4],
  ] as const) {
    const site: Site = { kind: 'resid_post', layer };
    const source = await activation(tokens, site);
    const width = source.length / tokens.length;
    const values = source.slice(position * width, (position + 1) * width);
    const found = await probability([noise, { site, positions: [position], operation: { kind: 'overwrite', values } }]);
    expect(Math.abs(found - (expected[layer * tokens.length + position] as number))).toBeLessThan(1e-4);
  }
});

test('the residual stream and attention of a whole prompt equal the reference', async () => {
  const tokens = Int32Array.from(goldenCase('fact').ids);
  const capture = Array.from(
    { length: 30 },
    (_, layer) => [{ site: { kind: 'resid_post', layer } }, { site: { kind: 'pattern', layer } }] as const,
  ).flat();
  const { captured, logits } = await model.forward({ tokens, capture, logits: 'last' });
  const residuals = goldenArray('fact', 'resid_all.f32');
  const attention = goldenArray('fact', 'attn_all.f32');
  for (let layer = 0; layer < 30; layer++) {
    const size = tokens.length * 576;
    const residual = captured.get(`resid_post.${layer}`)?.data ?? new Float32Array();
    const reference = residuals.subarray((layer + 1) * size, (layer + 2) * size);
    const largest = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    expect(residual.every((value, index) => Math.abs(value - (reference[index] as number)) <= 5e-6 * largest)).toBe(true);
    const pattern = captured.get(`pattern.${layer}`)?.data ?? new Float32Array();
    const count = 9 * tokens.length ** 2;
    expect(pattern.every((value, index) => Math.abs(value - (attention[layer * count + index] as number)) <= 5e-6)).toBe(true);
  }
  const expected = goldenArray('fact', 'logits_last.f32');
  expect((logits?.values ?? []).every((value, index) => Math.abs(value - (expected[index] as number)) <= 1e-4)).toBe(true);
});
