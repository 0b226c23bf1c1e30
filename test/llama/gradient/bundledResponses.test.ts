/** Every token of a response, teacher forced: its log-probability's gradient by prompt and response, against PyTorch. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel, goldenArray, goldenCase, goldenFile, relativeDifference } from '../golden.ts';
import { cosine, tokenScores } from './tokenScores.ts';

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
});
afterAll(() => model.dispose());

async function responseGradients(name: string, precision: 'as-served' | 'dequantised') {
  const { ids, target_ids: response } = goldenCase(name);
  const terms = response.map((id, step) => [{ position: ids.length + step - 1, id, weight: 1 }]);
  const { targets, captured } = await model.gradient({
    tokens: Int32Array.from([...ids, ...response]),
    precision,
    targets: (['logprob', 'logit'] as const).flatMap((kind) => terms.map((own): GradientTarget => ({ kind, terms: own }))),
    at: [{ kind: 'embed' }],
    capture: [{ kind: 'embed' }],
  });
  const of = (index: number) => ({
    value: targets[index]?.value ?? Number.NaN,
    gradient: targets[index]?.gradients.get('embed')?.data ?? new Float32Array(),
  });
  return {
    embeddings: captured.get('embed')?.data ?? new Float32Array(),
    steps: response.map((_, step) => ({ logprob: of(step), logit: of(response.length + step) })),
    golden: (file: string, step: number) => {
      const length = ids.length + response.length;
      return goldenArray(name, file).subarray(step * length, (step + 1) * length);
    },
  };
}

/**
 * In single precision log p = z − logsumexp(z) is known to a few units in the last place of z: 1 − p loses its digits where p is near 1,
 * and with it the derivative, by (p of the double sum − p of the reference) times that of the logit. The reference's own p is in its
 * file, so its error is known: without it, the worst row here would be 1.2e-2 away; with it, 1.6e-4.
 */
test.each(['chat', 'zh', 'rag'])('%s, dequantised', async (name) => {
  const { response_logprobs: logprobs } = JSON.parse(readFileSync(goldenFile(name, 'resp.json'), 'utf8')) as {
    response_logprobs: readonly number[];
  };
  const { embeddings, steps, golden } = await responseGradients(name, 'dequantised');
  expect(steps).toHaveLength(logprobs.length);
  for (const [step, { logprob, logit }] of steps.entries()) {
    expect(Math.abs(logprob.value - (logprobs[step] as number)), `token ${step}`).toBeLessThan(5e-5);
    const rounding = Math.exp(logprob.value) - Math.exp(logprobs[step] as number);
    const asReference = logprob.gradient.map((value, index) => value + rounding * (logit.gradient[index] as number));
    const { l2, gxi } = tokenScores(asReference, embeddings, model.info.hidden);
    expect(relativeDifference(l2, golden('resp_saliency_l2.f32', step)), `saliency of token ${step}`).toBeLessThan(3e-4);
    expect(relativeDifference(gxi, golden('resp_gxi.f32', step)), `gradient × input of token ${step}`).toBeLessThan(3e-4);
  }
});

/** zh's gradient × input is the one that falls below 0.97: 0.965. */
test.each([
  ['chat', 0.97],
  ['zh', 0.96],
  ['rag', 0.97],
] as const)('%s, as served', async (name, products) => {
  const { embeddings, steps, golden } = await responseGradients(name, 'as-served');
  for (const [step, { logprob }] of steps.entries()) {
    const { l2, gxi } = tokenScores(logprob.gradient, embeddings, model.info.hidden);
    expect(cosine(l2, golden('resp_saliency_l2.f32', step)), `saliency of token ${step}`).toBeGreaterThan(0.99);
    expect(cosine(gxi, golden('resp_gxi.f32', step)), `gradient × input of token ${step}`).toBeGreaterThan(products);
  }
});
