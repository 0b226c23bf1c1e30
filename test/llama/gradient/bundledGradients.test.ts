/** The raw gradients of the bundled file against PyTorch on its dequantised weights, dimension by dimension (golden/README.md). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel, goldenArray, goldenCase } from '../golden.ts';
import { copyModel, type ModelCopy } from '../float32Copy.ts';

let copy: ModelCopy;
let served: Model;
let float32: Model;
beforeAll(async () => {
  copy = await copyModel(bundledModel, 'F32');
  served = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
  float32 = await openLlamaModel(copy.file, { threads: 1, contextLength: 512 });
});
afterAll(async () => {
  await served.dispose();
  await float32.dispose();
  copy.remove();
});

describe.each(['fact', 'ioi'])('%s', (name) => {
  const { ids, target_ids: targetIds, contrast_id: contrast } = goldenCase(name);
  const tokens = Int32Array.from(ids);
  const term = { position: tokens.length - 1, id: targetIds[0] ?? 0, weight: 1 };
  const targets: readonly (readonly [string, GradientTarget])[] = [
    ['grad_logit', { kind: 'logit', terms: [term] }],
    // In double precision: the single-precision reference is up to 4e-3 away from it.
    ['grad_logprob_double', { kind: 'logprob', terms: [term] }],
    ['grad_diff', { kind: 'logit', terms: [term, { ...term, id: contrast, weight: -1 }] }],
  ];

  test.each([
    // An F32 copy as served is the exact derivative; so is the dequantised mode of the quantised file.
    { of: 'F32 copy', precision: 'as-served', relative: 2e-4, cosine: 0.999_999 },
    { of: 'Q4_1', precision: 'dequantised', relative: 2e-4, cosine: 0.999_999 },
    { of: 'Q4_1', precision: 'as-served', relative: 0.25, cosine: 0.97 },
  ] as const)('$of, $precision', async ({ of, precision, relative, cosine }) => {
    const model = of === 'Q4_1' ? served : float32;
    const result = await model.gradient({
      tokens,
      precision,
      targets: targets.map(([, target]) => target),
      at: [{ kind: 'embed' }],
    });
    expect(result.precision).toBe(precision);
    const cosines: number[] = [];
    for (const [index, [file]] of targets.entries()) {
      const expected = goldenArray(name, `${file}.f32`);
      const found = result.targets[index]?.gradients.get('embed')?.data ?? new Float32Array();
      const { hidden } = model.info;
      for (let token = 0; token < tokens.length; token++) {
        const [a, b] = [found, expected].map((all) => all.subarray(token * hidden, (token + 1) * hidden)) as [
          Float32Array,
          Float32Array,
        ];
        cosines.push(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
        const difference = a.map((value, at) => value - (b[at] as number));
        expect(Math.sqrt(dot(difference, difference) / dot(b, b)), `${file}, token ${token}`).toBeLessThanOrEqual(relative);
      }
    }
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(cosine);
  });
});

test('as served, the value is bit for bit that of the ordinary pass', async () => {
  for (const name of ['fact', 'zh', 'chat']) {
    const tokens = Int32Array.from(goldenCase(name).ids);
    const position = tokens.length - 1;
    const ids = [1, 500, 28_000];
    const { read } = await served.forward({ tokens, read: [{ position, ids }] });
    const { targets } = await served.gradient({
      tokens,
      targets: ids.map((id) => ({ kind: 'logit', terms: [{ position, id, weight: 1 }] })),
      at: [],
    });
    expect(targets.map(({ value }) => value)).toEqual([...(read[0]?.logits ?? [])]);
  }
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}
