/** Quantised files: dequantised, the gradient is that of an F32 file with the same weights; as served, the forward pass is the runtime's own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientRequest, GradientResult } from '../../../src/model/gradient.ts';
import { maximumDifference } from '../golden.ts';
import { copyModel, type ModelCopy } from '../float32Copy.ts';
import { type TinyModel, writeTinyModel } from '../tinyGguf.ts';
import { gradientFamilies, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';
import { cosine } from './tokenScores.ts';

const tokens = Int32Array.from({ length: 18 }, (_, index) => (index * 7 + 3) % 64);
const position = tokens.length - 1;
const sites = ['embed', 'resid_mid.0', 'resid_post.1', 'pattern.0', 'pattern.1', 'q.1', 'k.0', 'v.1', 'z.0'];
const request: GradientRequest = {
  tokens,
  targets: [
    { kind: 'logit', terms: [{ position, id: 9, weight: 1 }] },
    {
      kind: 'logprob',
      terms: [4, 8, 12].map((at) => ({ position: at, id: tokens[at + 1] as number, weight: 1 })),
    },
  ],
  at: sites.map(parseSiteName),
};
/**
 * As served, against the F32 file of the same weights: what rounded activations alone cost (8 bits; half precision for F16), as the least
 * cosine of a token's gradient at the embeddings. Behind it, what was measured for llama and qwen3moe. Against the file before it was
 * quantised, 4-bit weights give 0.75 to 0.95 over all tokens of these random models: another network, not another derivative.
 */
const types = {
  F16: { name: 'F16', leastCosine: 0.9999 }, // 0.99999, 1.00000
  Q4_0: { name: 'Q4_0', leastCosine: 0.99 }, // 0.99835, 0.99923
  Q4_1: { name: 'Q4_1', leastCosine: 0.99 }, // 0.99854, 0.99894
  Q8_0: { name: 'Q8_0', leastCosine: 0.99 }, // 0.99892, 0.99939
  Q4_K: { name: 'Q4_K_M', leastCosine: 0.98 }, // 0.99549, 0.99821
  Q6_K: { name: 'Q6_K', leastCosine: 0.97 }, // 0.98726, 0.99891
} as const;

describe.each(['wide llama', 'wide qwen3moe'] as const)('%s', (recipe) => {
  let tiny: TinyModel;
  beforeAll(() => {
    tiny = writeTinyModel(recipe);
  });
  afterAll(() => tiny.remove());

  test.each(Object.keys(types) as (keyof typeof types)[])('%s', async (type) => {
    const { name, leastCosine } = types[type];
    const copies: ModelCopy[] = [];
    try {
      const quantised = await copyModel(tiny.file, type);
      copies.push(quantised);
      expect(await quantizationOf(quantised.file)).toBe(name);
      // The same weights, unpacked: every number of the quantised file is a float.
      const unpacked = await copyModel(quantised.file, 'F32');
      copies.push(unpacked);
      const exact = await gradientOf(unpacked.file, request);
      for (const gradientKernel of ['auto', 'ggml'] as const) {
        const dequantised = await gradientOf(quantised.file, { ...request, precision: 'dequantised' }, gradientKernel);
        expect(dequantised.precision).toBe('dequantised');
        compare(dequantised, exact, 1e-4);
        const served = await gradientOf(quantised.file, request, gradientKernel);
        expect(served.precision).toBe('as-served');
        expect(served.targets[0]?.value).toBe(await logitOf(quantised.file));
        const [found, expected] = [served, exact].map(
          ({ targets }) => targets[0]?.gradients.get('embed')?.data ?? new Float32Array(),
        ) as [Float32Array, Float32Array];
        const hidden = expected.length / tokens.length;
        for (const token of tokens.keys()) {
          const own = (all: Float32Array) => all.subarray(token * hidden, (token + 1) * hidden);
          expect(cosine(own(found), own(expected)), `token ${token}`).toBeGreaterThan(leastCosine);
        }
      }
    } finally {
      for (const copy of copies) copy.remove();
    }
  });
});

async function gradientOf(
  file: string,
  asked: GradientRequest,
  gradientKernel: 'auto' | 'ggml' = 'auto',
): Promise<GradientResult> {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0, gradientKernel });
  try {
    return await model.gradient(asked);
  } finally {
    await model.dispose();
  }
}

async function quantizationOf(file: string): Promise<string> {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  try {
    return model.info.quantization;
  } finally {
    await model.dispose();
  }
}

async function logitOf(file: string): Promise<number | undefined> {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  try {
    const read = [4, 8, 12, position].map((at) => ({ position: at, ids: [9] }));
    return (await model.forward({ tokens, read })).read[3]?.logits[0];
  } finally {
    await model.dispose();
  }
}

function compare(found: GradientResult, expected: GradientResult, tolerance: number): void {
  for (const [index, { value, gradients }] of expected.targets.entries()) {
    expect(Math.abs((found.targets[index]?.value ?? Number.NaN) - value)).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(value)),
    );
    for (const [site, { data }] of gradients) {
      const scale = data.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0);
      const difference = maximumDifference(found.targets[index]?.gradients.get(site)?.data ?? [], data);
      expect(difference, site).toBeLessThanOrEqual(tolerance * scale);
    }
  }
}

// The families that PyTorch's goldens are for; their rows of 32 fit these types.
describe.each(gradientFamilies)('%s', (family) => {
  test.each(['F16', 'Q4_0', 'Q8_0'] as const)('%s, dequantised, is the F32 file of the same weights', async (type) => {
    const golden = readGradientGolden(family);
    const quantised = await copyModel(golden.file, type);
    const unpacked = await copyModel(quantised.file, 'F32');
    try {
      const asked: GradientRequest = {
        tokens: golden.tokens,
        targets: ['logit', 'span'].flatMap((name) => golden.targets.get(name) ?? []),
        at: ['embed', 'resid_mid.1', 'pattern.0', 'z.1', 'attn_out.0', 'mlp_out.1'].map(parseSiteName),
      };
      const exact = await gradientOf(unpacked.file, asked);
      compare(await gradientOf(quantised.file, { ...asked, precision: 'dequantised' }), exact, 1e-4);
    } finally {
      quantised.remove();
      unpacked.remove();
    }
  });
});
