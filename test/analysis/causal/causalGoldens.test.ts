/**
 * Grids of PyTorch on the bundled model's weights in fp32: ablation, patching in both directions, attribution patching, causal tracing.
 * One grid is compared whole, the others layer by layer of a few: a whole patching grid takes half a minute.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  readonly rows: number[];
  readonly values: number[][];
  readonly estimated: number[][];
  readonly baseline: number;
  readonly clean: number;
  readonly corrupt: number;
}

/** The rows of some layers of a golden grid. */
function goldenRows(layers: readonly number[], ...parts: string[]): number[] {
  const whole = goldenArray(...parts);
  const width = whole.length / model.info.layers;
  return layers.flatMap((layer) => Array.from(whole.subarray(layer * width, (layer + 1) * width)));
}

/** All layers of the one, one layer of the others. */
test.each([
  ['attn', 'zero', -1, 'ablate_attn_zero.f32'],
  ['mlp', 'zero', 0, 'ablate_mlp_zero.f32'],
  ['head', 'zero', 13, 'ablate_head_zero.f32'],
  ['head', 'mean', 13, 'ablate_head_mean.f32'],
] as const)('ablation of %s, %s, layer %i', async (what, how, layer, file) => {
  const { data } = await toolOn(model, 'ablate', { text: prompt, target, parameters: { what, how, layer } });
  const { rows, values, baseline } = data as Grid;
  expect(Math.abs(baseline - ld_clean)).toBeLessThan(tolerance);
  const found = values.flat().map((change) => change + baseline);
  expect(maximumDifference(found, goldenRows(rows, 'ioi', file))).toBeLessThan(tolerance);
});

/** Layers in which the grids move: attention brings the answer's word to the end in 20 to 24. */
test.each([
  ['resid_pre', 'position', 'denoise', 22, 'patch_resid_pre_denoise.f32'],
  ['resid_pre', 'position', 'noise', 21, 'patch_resid_pre_noise.f32'],
  ['attn_out', 'position', 'denoise', 23, 'patch_attn_out_denoise.f32'],
  ['mlp_out', 'position', 'denoise', 0, 'patch_mlp_out_denoise.f32'],
  ['z', 'head', 'denoise', 23, 'patch_head_z_denoise.f32'],
] as const)('patching of %s by %s, %s, in layer %i', async (site, by, direction, layer, file) => {
  const parameters = { corrupt, site, by, direction, layer };
  const { data } = await toolOn(model, 'patch', { text: prompt, target, parameters });
  const { rows, values, clean, corrupt: low } = data as Grid;
  expect(rows).toEqual([layer]);
  expect(Math.abs(clean - ld_clean)).toBeLessThan(tolerance);
  expect(Math.abs(low - ld_corrupt)).toBeLessThan(tolerance);
  const found = values.flat().map((share) => low + share * (clean - low));
  const golden = goldenRows(rows, 'ioi', file);
  // A row that says nothing would agree with anything.
  expect(Math.max(...golden) - Math.min(...golden)).toBeGreaterThan(0.5);
  expect(maximumDifference(found, golden)).toBeLessThan(tolerance);
});

test('the first-order estimate of every layer and position', async () => {
  const parameters = { corrupt, site: 'resid_pre', estimate: 'only' };
  const { data } = await toolOn(model, 'patch', { text: prompt, target, parameters });
  const { estimated, clean, corrupt: low } = data as Grid;
  const changes = estimated.flat().map((share) => share * (clean - low));
  expect(relativeDifference(changes, goldenArray('ioi', 'attribution_patch_resid_pre.f32'))).toBeLessThan(1e-3);
  const single = await toolOn(model, 'patch', { text: prompt, target, parameters: { ...parameters, layer: 15 } });
  expect((single.data as Grid).estimated).toEqual([estimated[15]]);
});

/** Sites, their files, and the layers that are compared. */
const traced = [
  ['resid_post', 'trace_resid.f32', { before: 0, after: 0 }, [12, 22, 23]],
  ['mlp_out', 'trace_mlp_w10.f32', { before: 5, after: 4 }, [5, 6]],
  ['attn_out', 'trace_attn_w10.f32', { before: 5, after: 4 }, [0, 18, 19, 29]],
] as const;

describe('causal tracing with the saved noise', () => {
  const golden = JSON.parse(readFileSync(goldenFile('fact', 'trace.json'), 'utf8')) as {
    subject_positions: number[];
    std_embeddings: number;
    p_corrupt: number;
    target: number;
  };
  const ids = Int32Array.from((JSON.parse(readFileSync(goldenFile('fact', 'meta.json'), 'utf8')) as { ids: number[] }).ids);
  const { signal } = new AbortController();

  test.each(traced)('%s', async (site, file, window, layers) => {
    const spec: TargetSpec = { kind: 'id', id: golden.target };
    const probability = await resolveTarget(spec, 'prob', { model, next: 0, response: [] });
    const clean = (await layerActivations(model, ids, [site], signal)).activations.get(site);
    if (clean === undefined) throw new Error(site);
    const request = { model, ids, target: probability, subject: golden.subject_positions, clean, window, layers, signal };
    const { corrupt: blurred, restored } = await traceOnce(request, goldenArray('fact', 'trace_noise.f32'));
    expect(Math.abs(blurred - golden.p_corrupt)).toBeLessThan(1e-4);
    expect(maximumDifference(restored, goldenRows(layers, 'fact', file))).toBeLessThan(2e-4);
  });

  test('the spread of the embeddings, from a sample of the matrix', async () => {
    expect(Math.abs((await embeddingSpread(model, signal)) / golden.std_embeddings - 1)).toBeLessThan(0.05);
  });
});
