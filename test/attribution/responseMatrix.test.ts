import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputTimesGradient } from '../../src/attribution/gradient/inputTimesGradient.ts';
import { saliency } from '../../src/attribution/gradient/saliency.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { bundledModel, goldenArray, goldenCase, relativeDifference } from '../llama/golden.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { idOf } from './linearModel.ts';
import { createSmoothModel } from './smoothModel.ts';

const methods = [saliency, inputTimesGradient];
const text = 'The cat sat on the mat';
const response = [idOf(' Paris'), idOf('.'), idOf(' of')];
const groups = [[0, 1], [2], [3, 4, 5]];
const prepared = (method: (typeof methods)[number], parts: InputParts = {}, model: Model = createSmoothModel()) =>
  inputFor(model, { text, response, groups, ...parts, parameters: resolveParameters(method, parts.parameters) });

describe.each(methods)('$id of each response token', (method) => {
  test('a row is the method’s own picture of that token', async () => {
    const parameters = { perToken: true };
    for (const spec of [{ kind: 'response' }, { kind: 'span', from: 1, to: 2 }] as const) {
      const { matrix, scores, forwardPasses } = await method.attribute(await prepared(method, { spec, parameters }));
      const plain = await method.attribute(await prepared(method, { spec }));
      expect(scores).toEqual(plain.scores);
      expect(plain.matrix).toBeUndefined();
      // A forward pass and three backward passes over eight tokens, in passes over six.
      expect(forwardPasses - plain.forwardPasses).toBeCloseTo((4 * 8) / 6, 6);
      expect(matrix?.rows).toEqual([0, 1, 2]);
      expect(matrix?.unit).toBe(method === saliency ? 'nat per unit of embedding' : 'nat');
      for (const at of [0, 1, 2]) {
        const one = await method.attribute(await prepared(method, { spec: { kind: 'span', from: at, to: at } }));
        one.scores.forEach((score, unit) => expect(matrix?.scores[at]?.[unit]).toBeCloseTo(score, 5));
      }
    }
  });

  const others: [spec: TargetSpec, score?: ScoreKind][] = [
    [{ kind: 'next' }],
    [{ kind: 'id', id: 40 }],
    [{ kind: 'contrast', a: ' Paris', b: ' London', at: 1 }],
  ];
  test.each(others)('is left away for %j', async (spec) => {
    const { matrix } = await method.attribute(await prepared(method, { spec, parameters: { perToken: true } }));
    expect(matrix).toBeUndefined();
  });

  test('and where there is no response', async () => {
    const input = await prepared(method, { spec: { kind: 'response' }, parameters: { perToken: true } });
    expect((await method.attribute({ ...input, response: null })).matrix).toBeUndefined();
  });
});

test('rows of input × gradient add up to the picture of the whole response', async () => {
  const input = await prepared(inputTimesGradient, { spec: { kind: 'response' }, parameters: { perToken: true } });
  const { scores, matrix } = await inputTimesGradient.attribute(input);
  scores.forEach((score, unit) => {
    expect(matrix?.scores.reduce((sum, row) => sum + (row[unit] ?? 0), 0)).toBeCloseTo(score, 4);
  });
});

describe('the bundled model, against golden gradients of each response token', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());

  test.each([
    [saliency, 'resp_saliency_l2.f32'],
    [inputTimesGradient, 'resp_gxi.f32'],
  ] as const)('$id', async (method, file) => {
    const { ids, target_ids: answer } = goldenCase('chat');
    const golden = goldenArray('chat', file); // [response tokens, prompt and response tokens]
    const length = ids.length + answer.length;
    const parameters = resolveParameters(method, { perToken: true, precision: 'dequantised' });
    const { matrix } = await method.attribute(
      await inputFor(model, { ids, response: answer, spec: { kind: 'response' }, parameters }),
    );
    expect(matrix?.scores).toHaveLength(answer.length);
    matrix?.scores.forEach((row, step) => {
      expect(relativeDifference(row, golden.subarray(step * length, step * length + ids.length))).toBeLessThan(6e-3);
    });
  });
});
