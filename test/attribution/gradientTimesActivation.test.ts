import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attentionTimesGradient } from '../../src/attribution/flow/attentionTimesGradient.ts';
import { gradientTimesActivation } from '../../src/attribution/gradient/gradientTimesActivation.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import type { LayerSite } from '../../src/model/sites.ts';
import { goldenArray, goldenFile } from '../llama/golden.ts';
import { inputFor, type InputParts } from './attributionInput.ts';

const { ids, target } = JSON.parse(readFileSync(goldenFile('tiny_llama', 'meta.json'), 'utf8')) as {
  ids: number[];
  target: number;
};
const spec = { kind: 'id', id: target } as const;
let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 128 });
});
afterAll(() => model.dispose());

const prepared = (parts: InputParts = {}) =>
  inputFor(model, { ids, spec, ...parts, parameters: resolveParameters(gradientTimesActivation, parts.parameters) });
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  for (let at = 0; at < expected.length; at++) {
    expect(Math.abs((actual[at] as number) - (expected[at] as number))).toBeLessThanOrEqual(tolerance * scale);
  }
};

describe('what scaling the state at one position does, by forward passes alone', () => {
  const cases: [site: LayerSite, layer: number][] = [
    ['resid_post', 1],
    ['resid_mid', 0],
    ['resid_pre', 2],
    ['attn_out', 1],
    ['mlp_out', 0],
    ['mlp_post', 1],
    ['z', 2],
    ['v', 0],
  ];
  test.each(cases)('%s.%i', async (kind, layer) => {
    const input = await prepared({ spec: { kind: 'response' }, response: [84, 32, 99], parameters: { site: kind, layer } });
    const { scores, findings } = await gradientTimesActivation.attribute(input);
    const tokens = Int32Array.from([...ids, ...input.target.continuation]);
    const step = 1 / 64;
    const scaled = async (position: number, factor: number) => {
      const patches = [{ site: { kind, layer }, positions: [position], operation: { kind: 'scale', factor } }] as const;
      return input.target.value((await model.forward({ tokens, patches, read: input.target.reads(ids.length) })).read);
    };
    const expected: number[] = [];
    for (const position of ids.keys()) {
      expected.push(((await scaled(position, 1 + step)) - (await scaled(position, 1 - step))) / (2 * step));
    }
    close(scores, expected, 0.01);
    expect(findings?.layers).toEqual([[...scores]]);
  });
});

test('where a layer begins: the golden gradient times the golden state', async () => {
  const { scores } = await gradientTimesActivation.attribute(await prepared({ parameters: { site: 'resid_pre', layer: 0 } }));
  const [state, slope] = [goldenArray('tiny_llama', 'emb.f32'), goldenArray('tiny_llama', 'grad_logit.f32')];
  const width = state.length / ids.length;
  const products = ids.map((_id, token) => {
    return sum(Array.from({ length: width }, (_, d) => (state[token * width + d] ?? 0) * (slope[token * width + d] ?? 0)));
  });
  close(scores, products, 1e-3);
});

test('of attention it is signed attention × gradient, layer by layer and in the mean', async () => {
  const input = await prepared({ parameters: { site: 'pattern' } });
  const { scores, findings } = await gradientTimesActivation.attribute(input);
  const signed = { ...input, parameters: { aggregation: 'signed', layers: 'all', precision: 'as-served' } };
  const whole = (await attentionTimesGradient.attribute(signed)).scores;
  close(
    scores,
    whole.map((score) => score / model.info.layers),
    1e-5,
  );
  const last = await attentionTimesGradient.attribute({ ...input, parameters: { ...signed.parameters, layers: 'last' } });
  close(findings?.layers?.at(-1) ?? [], last.scores, 1e-5);
});

describe('pooled', () => {
  test('every position is weighed with the mean gradient', async () => {
    const site = { kind: 'resid_mid', layer: 0 } as const;
    const input = await prepared({ parameters: { site: 'resid_mid', layer: 0, weights: 'pooled' } });
    const { scores } = await gradientTimesActivation.attribute(input);
    const { captured } = await model.forward({ tokens: Int32Array.from(ids), capture: [{ site }] });
    const state = captured.get('resid_mid.0')?.data ?? new Float32Array();
    const width = model.info.hidden;
    // The slope of the sum over positions, by moving one channel at every position at once.
    const mean: number[] = [];
    for (let d = 0; d < width; d++) {
      const moved = async (by: number) => {
        const values = Float32Array.from({ length: ids.length * width }, (_, at) => (at % width === d ? by : 0));
        const patches = [{ site, operation: { kind: 'add', values } }] as const;
        const { read } = await model.forward({ tokens: Int32Array.from(ids), patches, read: input.target.reads(ids.length) });
        return input.target.value(read);
      };
      mean.push(((await moved(1 / 256)) - (await moved(-1 / 256))) / (2 / 256) / ids.length);
    }
    const products = ids.map((_id, token) => sum(mean.map((slope, d) => slope * (state[token * width + d] ?? 0))));
    close(scores, products, 0.02);
  });

  test('attention: each head’s mean over what it can see', async () => {
    const input = await prepared({ parameters: { site: 'pattern', layer: 1, weights: 'pooled' } });
    const { scores } = await gradientTimesActivation.attribute(input);
    const size = ids.length;
    const { heads } = model.info;
    const start = heads * size * size;
    const pattern = goldenArray('tiny_llama', 'attn.f32').subarray(start, 2 * start);
    const result = await model.gradient({
      tokens: Int32Array.from(ids),
      targets: [input.target.gradient(size)],
      at: [{ kind: 'pattern', layer: 1 }],
    });
    const slope = result.targets[0]?.gradients.get('pattern.1')?.data ?? new Float32Array();
    const expected = new Float64Array(size);
    for (let head = 0; head < heads; head++) {
      const [from, to] = [head * size * size, (head + 1) * size * size];
      const mean = sum(slope.subarray(from, to)) / ((size * (size + 1)) / 2);
      for (let at = from; at < to; at++) {
        expected[at % size] = (expected[at % size] as number) + mean * (pattern[at] as number);
      }
    }
    close(scores, expected, 1e-3);
  });
});

test('rectified: each token’s part is kept where it is positive', async () => {
  const groups = [ids.map((_id, token) => token)];
  const signed = (await gradientTimesActivation.attribute(await prepared({ parameters: { layer: 1 } }))).scores;
  const { scores } = await gradientTimesActivation.attribute(await prepared({ groups, parameters: { layer: 1, rectify: true } }));
  expect(signed.some((score) => score < 0)).toBe(true);
  expect(scores[0]).toBeCloseTo(sum(signed.map((score) => Math.max(0, score))), 5);
});

test('hidden units 0, a layer that does not exist, one token, a run that is stopped', async () => {
  const { scores } = await gradientTimesActivation.attribute(await prepared({ kinds: ['special', 'text'] }));
  expect(scores[0]).toBe(0);
  expect(scores[1]).not.toBe(0);
  await expect(gradientTimesActivation.attribute(await prepared({ parameters: { layer: 3 } }))).rejects.toThrow(
    /E_PARAMETER.*layer.*from 0 to 2, or -1/,
  );
  const single = await gradientTimesActivation.attribute(await prepared({ ids: [84] }));
  expect(single.scores.every(Number.isFinite)).toBe(true);
  const stopped = gradientTimesActivation.attribute(await prepared(), { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
