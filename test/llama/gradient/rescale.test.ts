/** The rules of rescale: parts that add up to the difference between two inputs, whatever lies between; derivatives where the two agree. */
import { expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientRequest, GradientTarget } from '../../../src/model/gradient.ts';
import { maximumDifference } from '../golden.ts';
import { type GradientFamily, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

// Where the activation is GELU, ggml reads it from a table of half precision, which has no derivative.
const families: readonly (readonly [GradientFamily, number])[] = [
  ['llama', 1e-3],
  ['qwen2', 1e-3],
  ['qwen3', 1e-3],
  ['phi3', 1e-3],
  ['gemma2', 1e-2],
  ['gemma3', 1e-2],
  ['gpt2', 1e-2],
];

async function prepared(family: GradientFamily, options: object = {}) {
  const golden = readGradientGolden(family);
  const model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0, ...options });
  const embed = parseSiteName('embed');
  const embeddingsOf = async (tokens: Int32Array) => {
    const { captured } = await model.forward({ tokens, capture: [{ site: embed }] });
    return captured.get('embed')?.data ?? new Float32Array();
  };
  const { tokens } = golden;
  const last = tokens.length - 1;
  const embeddings = await embeddingsOf(tokens);
  const reference = await embeddingsOf(tokens.map(() => 0));
  const terms = [
    { position: last, id: 5, weight: 1 },
    { position: last, id: 9, weight: -0.5 },
    { position: last - 2, id: 7, weight: 2 },
  ];
  const share = 1 / model.info.vocabulary;
  const weights = Float32Array.from({ length: model.info.vocabulary }, (_, id) => Math.cos(id));
  const distribution = weights.map((weight) => share * (1 + weight / 2));
  const mass = distribution.reduce((sum, part) => sum + part, 0);
  const targets: GradientTarget[] = [
    { kind: 'logit', terms },
    { kind: 'logprob', terms },
    { kind: 'probability', terms },
    { kind: 'joint-probability', terms },
    { kind: 'entropy', position: last },
    ...(['to-reference', 'from-reference'] as const).map(
      (direction): GradientTarget => ({
        kind: 'kl',
        position: last,
        reference: distribution.map((part) => part / mass),
        direction,
      }),
    ),
    { kind: 'linear', rows: [{ position: last, weights }] },
    {
      kind: 'cotangent',
      site: parseSiteName('resid_mid.1'),
      values: golden.forward('resid_mid.1').data.map((_, index) => Math.sin(index)),
    },
  ];
  const request: GradientRequest = { tokens, embeddings, reference, targets, at: [embed], rules: 'rescale' };
  return { golden, model, embeddings, reference, request };
}

function sumOfParts(slopes: Float32Array, from: Float32Array, to: Float32Array): number {
  return slopes.reduce((sum, slope, index) => sum + slope * ((to[index] as number) - (from[index] as number)), 0);
}

for (const gradientKernel of ['auto', 'ggml'] as const) {
  test.each(families)(`%s, ${gradientKernel}: parts add up to the difference, for every target`, async (family, tolerance) => {
    const { model, embeddings, reference, request } = await prepared(family, { gradientKernel });
    try {
      const { targets } = await model.gradient(request);
      const at = async (input: Float32Array) => {
        const { tokens, targets: asked } = request;
        const { targets: found } = await model.gradient({ tokens, embeddings: input, targets: asked, at: [] });
        return found.map(({ value }) => value);
      };
      const [before, after] = [await at(reference), await at(embeddings)];
      targets.forEach(({ value, referenceValue, gradients }, index) => {
        const kind = request.targets[index]?.kind;
        expect(value, kind).toBe(after[index]);
        expect(referenceValue, kind).toBe(before[index]);
        const difference = value - (before[index] ?? Number.NaN);
        // Small targets are not nothing: what is compared must be more than rounding.
        expect(Math.abs(difference), kind).toBeGreaterThan(1e-3 * Math.abs(value));
        const sum = sumOfParts(gradients.get('embed')?.data ?? new Float32Array(), reference, embeddings);
        expect(Math.abs(sum / difference - 1), `${kind}: ${sum} of ${difference}`).toBeLessThan(tolerance);
      });
    } finally {
      await model.dispose();
    }
  });
}

test.each(families)('%s: against itself, an input has its derivative at every site', async (family, tolerance) => {
  const { golden, model, embeddings, request } = await prepared(family);
  try {
    const at = golden.sites.filter((site) => site !== 'logits').map(parseSiteName);
    const { reference: _, rules: __, ...exact } = { ...request, at };
    const found = await model.gradient({ ...request, at, reference: embeddings });
    const expected = await model.gradient(exact);
    expected.targets.forEach(({ gradients }, index) => {
      for (const [site, { data }] of gradients) {
        const size = data.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0);
        const slopes = found.targets[index]?.gradients.get(site)?.data ?? [];
        expect(maximumDifference(slopes, data), `${request.targets[index]?.kind} ${site}`).toBeLessThanOrEqual(
          tolerance * size + 1e-12,
        );
      }
    });
  } finally {
    await model.dispose();
  }
});

test('in pieces, the same bytes', async () => {
  const whole = await prepared('llama', { weightBytes: 0, gradientKernel: 'ggml' });
  const found = await whole.model.gradient(whole.request);
  await whole.model.dispose();
  const gradientBytes = Math.floor(0.97 * found.plan.peakBytes);
  const tight = await prepared('llama', { weightBytes: 0, gradientKernel: 'ggml', gradientBytes });
  try {
    const cut = await tight.model.gradient(tight.request);
    expect(cut.plan.segments).toBeGreaterThan(1);
    expect(cut.targets).toEqual(found.targets);
  } finally {
    await tight.model.dispose();
  }
});

test('two inputs or none', async () => {
  const { model, request } = await prepared('llama');
  const { reference, embeddings, ...rest } = request;
  try {
    await expect(model.gradient(rest)).rejects.toThrow(/E_GRADIENT_TARGET.*both embeddings and reference/);
    await expect(model.gradient({ ...request, rules: 'relevance' })).rejects.toThrow(/E_GRADIENT_TARGET.*no reference/);
    const short = { ...request, reference: new Float32Array(3) };
    await expect(model.gradient(short)).rejects.toMatchObject({ code: 'E_PATCH_SHAPE' });
    expect(embeddings?.length).toBe(reference?.length);
  } finally {
    await model.dispose();
  }
});

test('a choice of experts cannot be compared', async () => {
  const { model, request } = await prepared('mixtral');
  try {
    await expect(model.gradient(request)).rejects.toMatchObject({ code: 'E_GRADIENT_UNSUPPORTED' });
  } finally {
    await model.dispose();
  }
});
