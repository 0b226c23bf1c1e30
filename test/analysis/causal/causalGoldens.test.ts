/** Grids of PyTorch on the bundled model's weights in fp32: ablation, patching in both directions, attribution patching, causal tracing. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layerActivations } from '../../../src/analysis/causal/activationRows.ts';
import { traceOnce } from '../../../src/analysis/causal/causalTracing.ts';
import { embeddingSpread } from '../../../src/analysis/causal/embeddingSpread.ts';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { TargetSpec } from '../../../src/shared/target.ts';
import { copyModel, type ModelCopy } from '../../llama/float32Copy.ts';
import { bundledModel, goldenArray, goldenFile, maximumDifference, relativeDifference } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

/** Logits of the F32 copy agree to 6e-5; a difference of two to twice that, with room. */
const tolerance = 5e-4;

let copy: ModelCopy;
let model: Model;
beforeAll(async () => {
  copy = await copyModel(bundledModel, 'F32');
  model = await openLlamaModel(copy.file, { threads: 1, contextLength: 512 });
});
afterAll(async () => {
  await model.dispose();
  copy.remove();
});

const prompt = readFileSync(goldenFile('ioi', 'prompt.txt'), 'utf8');
const {
  corrupt_text: corrupt,
  ld_clean,
  ld_corrupt,
} = JSON.parse(readFileSync(goldenFile('ioi', 'patch.json'), 'utf8')) as {
  corrupt_text: string;
  ld_clean: number;
  ld_corrupt: number;
};
const target: TargetSpec = { kind: 'contrast', a: ' Mary', b: ' John' };

interface Grid {
  readonly values: number[][];
  readonly estimated: number[][];
  readonly baseline: number;
  readonly clean: number;
  readonly corrupt: number;
  readonly rankCorrelation: number;
}

test.each([
  ['mlp', 'zero', 'ablate_mlp_zero.f32'],
  ['attn', 'zero', 'ablate_attn_zero.f32'],
] as const)('ablation of every %s, %s', async (what, how, file) => {
  const { data } = await toolOn(model, 'ablate', { text: prompt, target, parameters: { what, how } });
  const { values, baseline } = data as Grid;
  expect(Math.abs(baseline - ld_clean)).toBeLessThan(tolerance);
  expect(
    maximumDifference(
      values.flat().map((change) => change + baseline),
      goldenArray('ioi', file),
    ),
  ).toBeLessThan(tolerance);
});

test.each(['zero', 'mean'] as const)('ablation of the heads of one layer, %s', async (how) => {
  const { data } = await toolOn(model, 'ablate', { text: prompt, target, parameters: { what: 'head', how, layer: 13 } });
  const { values, baseline } = data as Grid;
  const golden = goldenArray('ioi', `ablate_head_${how}.f32`).subarray(13 * 9, 14 * 9);
  expect(
    maximumDifference(
      values.flat().map((change) => change + baseline),
      golden,
    ),
  ).toBeLessThan(tolerance);
});

test('patching of the residual stream by position, and its first-order estimate', async () => {
  const parameters = { corrupt, site: 'resid_pre', estimate: 'beside' };
  const { data } = await toolOn(model, 'patch', { text: prompt, target, parameters });
  const { values, estimated, clean, corrupt: low, rankCorrelation } = data as Grid;
  const span = clean - low;
  expect([clean, low].map((value, index) => Math.abs(value - [ld_clean, ld_corrupt][index]!))).toEqual([
    expect.closeTo(0, 3),
    expect.closeTo(0, 3),
  ]);
  const found = values.flat().map((share) => low + share * span);
  expect(maximumDifference(found, goldenArray('ioi', 'patch_resid_pre_denoise.f32'))).toBeLessThan(tolerance);
  const changes = estimated.flat().map((share) => share * span);
  expect(relativeDifference(changes, goldenArray('ioi', 'attribution_patch_resid_pre.f32'))).toBeLessThan(1e-3);
  expect(rankCorrelation).toBeGreaterThan(0);
});

test('causal tracing with the saved noise', async () => {
  const golden = JSON.parse(readFileSync(goldenFile('fact', 'trace.json'), 'utf8')) as {
    subject_positions: number[];
    std_embeddings: number;
    p_corrupt: number;
    target: number;
  };
  const ids = Int32Array.from((JSON.parse(readFileSync(goldenFile('fact', 'meta.json'), 'utf8')) as { ids: number[] }).ids);
  const { signal } = new AbortController();
  const spec: TargetSpec = { kind: 'id', id: golden.target };
  const probability = await resolveTarget(spec, 'prob', { model, next: 0, response: [] });
  for (const [site, file, window] of [
    ['resid_post', 'trace_resid.f32', { before: 0, after: 0 }],
    ['mlp_out', 'trace_mlp_w10.f32', { before: 5, after: 4 }],
  ] as const) {
    const clean = (await layerActivations(model, ids, [site], signal)).activations.get(site);
    if (clean === undefined) throw new Error(site);
    const request = { model, ids, target: probability, subject: golden.subject_positions, clean, window, signal };
    const { corrupt: blurred, restored } = await traceOnce(request, goldenArray('fact', 'trace_noise.f32'));
    expect(Math.abs(blurred - golden.p_corrupt), site).toBeLessThan(1e-4);
    expect(maximumDifference(restored, goldenArray('fact', file)), site).toBeLessThan(2e-4);
  }
  // A sample of the matrix.
  expect(Math.abs((await embeddingSpread(model, signal)) / golden.std_embeddings - 1)).toBeLessThan(0.05);
});
