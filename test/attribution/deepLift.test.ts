/** DeepLIFT on real models: what it hands out is what the prompt changes, read off by forward passes alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deepLift } from '../../src/attribution/gradient/deepLift.ts';
import { emptyPromptToken } from '../../src/attribution/perturbation/emptyPrompt.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { bundledModel, goldenCase, goldenFile } from '../llama/golden.ts';
import { fullValue, inputFor, type InputParts } from './attributionInput.ts';
import { createSmoothModel } from './smoothModel.ts';

const prepared = (model: Model, parts: InputParts) =>
  inputFor(model, { ...parts, parameters: resolveParameters(deepLift, parts.parameters) });

const targets: readonly (readonly [name: string, spec: TargetSpec, score?: ScoreKind])[] = [
  ['a log-probability', { kind: 'next' }],
  ['a logit', { kind: 'next' }, 'logit'],
  ['a probability', { kind: 'next' }, 'prob'],
  ['a response', { kind: 'response' }],
  ['a contrast', { kind: 'contrast', a: ' a', b: ' b' }],
  ['an entropy', { kind: 'entropy' }],
  ['a divergence', { kind: 'kl', prompt: 'b' }],
];

describe.each([
  ['tiny_llama', goldenFile('tiny_llama', 'model.gguf'), 1e-3],
  ['tiny_qwen3', goldenFile('tiny_qwen3', 'model.gguf'), 1e-3],
  // Thirty layers, where integrated gradients do not converge.
  ['the bundled model', bundledModel, 5e-3],
])('%s', (name, file, tolerance) => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(file, { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());
  const { ids } = goldenCase(name === 'the bundled model' ? 'ioi' : name);

  test.each(targets.map(([what, spec, score]) => ({ what, spec, score })))(
    '$what: scores add up to what the prompt changes',
    async ({ spec, score }) => {
      const response = [7, 12, 5];
      const parts = { ids, response, spec, ...(score === undefined ? {} : { score }) };
      const input = await prepared(model, parts);
      const { scores, completeness, warnings, forwardPasses } = await deepLift.attribute(input);
      const empty = new Int32Array(ids.length).fill(await emptyPromptToken(model.tokenizer));
      const change = input.value - (await fullValue(model, empty, input.target));
      const sum = scores.reduce((total, part) => total + part, 0);
      expect(completeness?.sum).toBeCloseTo(sum, 4);
      expect(completeness?.share ?? 1).toBeLessThan(tolerance);
      expect(warnings).toEqual([]);
      expect(forwardPasses).toBeGreaterThanOrEqual(5);
      // Of the quantised file, forward passes as served differ from the dequantised ones by their rounding.
      if (name !== 'the bundled model') expect(Math.abs(sum / change - 1)).toBeLessThan(tolerance);
    },
  );

  test('a unit has what its tokens have', async () => {
    const whole = await deepLift.attribute(await prepared(model, { ids }));
    const groups = [ids.map((_, token) => token).filter((token) => token < 2), [2], [3]];
    const { scores } = await deepLift.attribute(await prepared(model, { ids, groups }));
    expect(scores[0]).toBeCloseTo((whole.scores[0] ?? 0) + (whole.scores[1] ?? 0), 5);
    expect(scores[1]).toBe(whole.scores[2]);
    expect(scores[2]).toBe(whole.scores[3]);
  });
});

test('a prompt that is its own baseline has nothing to share', async () => {
  const model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 256 });
  try {
    const empty = await emptyPromptToken(model.tokenizer);
    const { scores, completeness, warnings } = await deepLift.attribute(await prepared(model, { ids: [empty] }));
    expect([...scores]).toEqual([0]);
    expect(completeness).toMatchObject({ sum: 0, expected: 0, share: null });
    expect(warnings).toEqual([]);
  } finally {
    await model.dispose();
  }
});

test('asks for both inputs in one gradient, and stops when it is told to', async () => {
  const smooth = createSmoothModel();
  const input = await prepared(smooth, { text: 'The cat sat' });
  // That model knows no rules but the exact ones, and gives no value of the reference.
  await expect(deepLift.attribute(input)).rejects.toMatchObject({ code: 'E_NUMERIC' });
  const [request] = smooth.gradients;
  expect(request).toMatchObject({ rules: 'rescale', precision: 'dequantised', at: [{ kind: 'embed' }] });
  expect(request).toHaveProperty('embeddings');
  expect(request).toHaveProperty('reference');
  await expect(deepLift.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
