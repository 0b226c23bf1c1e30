/**
 * Against gradients computed with PyTorch on the dequantised weights (test/fixtures/golden). Dequantised, the bundled file must agree
 * as an F32 copy does; as served, within what its 8-bit activations do. Tiny F32 models check attention × gradient and completeness.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMethod, resolveParameters } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import { bundledModel, goldenArray, goldenCase, goldenFile, relativeDifference } from '../llama/golden.ts';
import { inputFor, type InputParts } from './attributionInput.ts';

type Measure = 'logit' | 'logprob' | 'diff';
type Saliency = Record<Measure, Record<'l2' | 'l1' | 'gxi', number[]>>;
interface Integral {
  readonly attr: number[];
  readonly f_baseline: number;
}

const read = <T>(...parts: string[]): T => JSON.parse(readFileSync(goldenFile(...parts), 'utf8')) as T;

/** One unit a token. */
async function attribute(model: Model, id: string, parts: InputParts) {
  const method = findMethod(id, model);
  return await method.attribute(await inputFor(model, { ...parts, parameters: resolveParameters(method, parts.parameters) }));
}

/** The target whose gradient the golden file holds. */
async function targetOf(model: Model, name: string, measure: Measure): Promise<InputParts> {
  const { ids, target_ids: targets, contrast_id: contrast } = goldenCase(name);
  const [id = 0] = targets;
  if (measure !== 'diff') return { ids, spec: { kind: 'id', id }, score: measure };
  const [a = '', b = ''] = await model.tokenizer.pieces([id, contrast]);
  return { ids, spec: { kind: 'contrast', a, b }, score: 'logit' };
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (let at = 0; at < b.length; at++) {
    product += (a[at] as number) * (b[at] as number);
    lengthA += (a[at] as number) ** 2;
    lengthB += (b[at] as number) ** 2;
  }
  return product / Math.sqrt(lengthA * lengthB);
}

/** Rank correlation of values without ties. */
function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ranks = (values: ArrayLike<number>) => {
    const order = Array.from(values, (_, at) => at).sort((x, y) => (values[x] as number) - (values[y] as number));
    const ranked = new Float64Array(values.length);
    order.forEach((at, rank) => (ranked[at] = rank));
    return ranked;
  };
  const [left, right] = [ranks(a), ranks(b)];
  const squares = left.reduce((sum, rank, at) => sum + (rank - (right[at] as number)) ** 2, 0);
  return 1 - (6 * squares) / (left.length * (left.length ** 2 - 1));
}

describe('the bundled model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
  });
  afterAll(() => model.dispose());

  const cases: [name: string, measures: readonly Measure[]][] = [
    ['fact', ['logit', 'logprob', 'diff']],
    ['ioi', ['logit', 'logprob', 'diff']],
    ['chat', ['logit', 'logprob']],
    ['zh', ['logit', 'logprob']],
  ];
  describe.each(cases.flatMap(([name, measures]) => measures.map((measure) => [name, measure] as const)))(
    '%s, %s',
    (name, measure) => {
      const golden = read<Saliency>(name, 'saliency.json')[measure];
      const norms = measure === 'logit' ? (['l2', 'l1'] as const) : (['l2'] as const);
      const run = async (id: string, parameters: Record<string, string>) =>
        (await attribute(model, id, { ...(await targetOf(model, name, measure)), parameters })).scores;

      test('dequantised', async () => {
        const precision = 'dequantised';
        // The reference's own single precision: in doubles it agrees to 2e-4 (test/llama/gradient/bundledGradients.test.ts).
        const tolerance = measure === 'logprob' ? 4e-3 : 1e-4;
        for (const norm of norms) {
          expect(relativeDifference(await run('saliency', { precision, norm }), golden[norm])).toBeLessThan(tolerance);
        }
        const products = await run('input-x-gradient', { precision });
        expect(relativeDifference(products, golden.gxi)).toBeLessThan(tolerance);
        expect(spearman(products, golden.gxi)).toBeGreaterThan(0.9999);
      });

      test('as served', async () => {
        for (const norm of norms) {
          const sizes = await run('saliency', { norm });
          expect(cosine(sizes, golden[norm])).toBeGreaterThan(0.97);
          expect(spearman(sizes, golden[norm])).toBeGreaterThan(0.99);
        }
        const products = await run('input-x-gradient', {});
        expect(cosine(products, golden.gxi)).toBeGreaterThan(0.96);
        // Of five tokens, two neighbours that change places are already 0.9.
        expect(spearman(products, golden.gxi)).toBeGreaterThan(name === 'fact' ? 0.89 : 0.97);
      });
    },
  );

  describe.each(['chat', 'zh'])('the response of %s', (name) => {
    const { ids, target_ids: response } = goldenCase(name);
    const length = ids.length + response.length;
    const rows = (file: string) => {
      const all = goldenArray(name, file); // [response tokens, prompt and response tokens]
      return (step: number) => all.subarray(step * length, step * length + ids.length);
    };
    const whole = read<{ gxi_sum: number[] }>(name, 'resp.json').gxi_sum.slice(0, ids.length);
    const [norms, products] = [rows('resp_saliency_l2.f32'), rows('resp_gxi.f32')];

    test.each(['dequantised', 'as-served'])('%s: its last token, and all of it', async (precision) => {
      const agree = (scores: Float32Array, golden: ArrayLike<number>) => {
        if (precision === 'dequantised') expect(relativeDifference(scores, golden)).toBeLessThan(4e-3);
        else expect(cosine(scores, golden)).toBeGreaterThan(0.93);
      };
      const parts = { ids, response, parameters: { precision } };
      const last = response.length - 1;
      const spec = { kind: 'span', from: last, to: last } as const;
      agree((await attribute(model, 'saliency', { ...parts, spec })).scores, norms(last));
      agree((await attribute(model, 'input-x-gradient', { ...parts, spec })).scores, products(last));
      agree((await attribute(model, 'input-x-gradient', { ...parts, spec: { kind: 'response' } })).scores, whole);
    });
  });

  // The integral does not converge on this model; that the same sum comes out checks every point of the path.
  const integrals: [file: string, key: string, parameters: Record<string, string>][] = [
    ['ig.json', 'midpoint_64', { baseline: 'zero' }],
    ['ig_baselines.json', 'endoftext:midpoint_64', {}],
    ['ig_baselines.json', 'endoftext:trapezoid_64', { rule: 'trapezoid' }],
  ];
  test.each(integrals)('integrated gradients: %s %s', async (file, key, chosen) => {
    const golden = read<Record<string, Record<Measure, Integral>>>('fact', file)[key]?.logprob;
    const parameters = { precision: 'dequantised', steps: 64, maxSteps: 64, ...chosen };
    const { scores, completeness } = await attribute(model, 'integrated-gradients', {
      ...(await targetOf(model, 'fact', 'logprob')),
      parameters,
    });
    expect(relativeDifference(scores, golden?.attr ?? [])).toBeLessThan(2e-3);
    const { f: value } = read<Record<Measure, { f: number }>>('fact', 'saliency.json').logprob;
    expect(completeness?.expected).toBeCloseTo(value - (golden?.f_baseline ?? 0), 1);
  });
});

describe.each([
  ['tiny_llama', 1e-4],
  // Its target is nearly certain: a derivative of 1e-5 is the difference of rounded probabilities.
  ['tiny_qwen2', 0.1],
  ['tiny_qwen3', 1e-4],
  ['tiny_gpt2', 2e-3],
])('%s', (name, tolerance) => {
  const { ids, target } = read<{ ids: number[]; target: number }>(name, 'meta.json');
  const spec = { kind: 'id', id: target } as const;
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());

  test('attention × gradient', async () => {
    const size = ids.length;
    const attention = goldenArray(name, 'attn.f32'); // [layers, heads, query, key]
    const slope = goldenArray(name, 'grad_attn_loss.f32'); // of −log-probability
    const flows = { absolute: new Float64Array(size), signed: new Float64Array(size) };
    attention.forEach((share, at) => {
      const flow = -share * (slope[at] as number);
      flows.absolute[at % size] = (flows.absolute[at % size] as number) + Math.abs(flow);
      flows.signed[at % size] = (flows.signed[at % size] as number) + flow;
    });
    for (const aggregation of ['absolute', 'signed'] as const) {
      const { scores } = await attribute(model, 'attention-x-gradient', {
        ids,
        spec,
        score: 'logprob',
        parameters: { aggregation },
      });
      expect(relativeDifference(scores, flows[aggregation])).toBeLessThan(tolerance);
    }
  });

  test('integrated gradients add up', async () => {
    const { completeness, warnings } = await attribute(model, 'integrated-gradients', {
      ids,
      spec,
      parameters: { maxSteps: 320 },
    });
    expect(completeness?.share ?? 1).toBeLessThan(0.01);
    expect(warnings).toEqual([]);
  });
});
