/** What must hold between gradients, whatever their values. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientResult, GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { bundledModel, maximumDifference } from '../golden.ts';
import { type GradientFamily, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

const golden = readGradientGolden('llama');
const { tokens, file } = golden;
const last = tokens.length - 1;
const logit = (id: number, weight = 1, position = last): GradientTarget => ({ kind: 'logit', terms: [{ position, id, weight }] });
const at: Site[] = ['embed', 'resid_mid.0', 'pattern.1', 'q.0', 'mlp_post.1'].map(parseSiteName);

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
});
afterAll(() => model.dispose());

const open = (options: object) => openLlamaModel(file, { threads: 1, contextLength: 0, ...options });

function values(result: GradientResult): unknown {
  return result.targets.map(({ value, gradients }) => ({ value, gradients: [...gradients] }));
}

test('the gradient of a sum is the sum of the gradients', async () => {
  const terms = [3, 7, 11].map((id, index) => ({ position: last - index, id, weight: index - 0.5 }));
  const parts = terms.map((term): GradientTarget => ({ kind: 'logit', terms: [term] }));
  const { targets } = await model.gradient({ tokens, targets: [{ kind: 'logit', terms }, ...parts], at });
  const [whole, ...single] = targets;
  expect(whole?.value).toBeCloseTo(
    single.reduce((sum, { value }) => sum + value, 0),
    5,
  );
  for (const [site, { data }] of whole?.gradients ?? []) {
    const sum = data.map((_, index) =>
      single.reduce((total, { gradients }) => total + (gradients.get(site)?.data[index] ?? 0), 0),
    );
    expect(maximumDifference(sum, data), site).toBeLessThan(1e-5 * Math.max(...data.map(Math.abs)));
  }
});

test('same request, same bytes, whatever ran in between', async () => {
  const request = { tokens, targets: [logit(5)], at };
  const first = values(await model.gradient(request));
  await model.forwardVariants({ variants: [{ tokens: tokens.subarray(0, 9), read: [{ position: 8, ids: [1] }] }] });
  const forward = await model.forward({ tokens, logits: 'all' });
  await model.gradient({ tokens: tokens.subarray(2), targets: [{ kind: 'entropy', position: 1 }], at, precision: 'dequantised' });
  expect(values(await model.gradient(request))).toEqual(first);
  expect(await model.forward({ tokens, logits: 'all' })).toEqual(forward);
});

test.each(['llama', 'gemma2', 'phi3', 'gpt2', 'qwen3moe'] as const)(
  '%s: recomputed in segments, the same bytes',
  async (family: GradientFamily) => {
    const own = readGradientGolden(family);
    const sites = ['embed', 'resid_post.0', 'pattern.0', 'z.1'].map(parseSiteName);
    const targets = [...own.targets.values()].slice(0, 1);
    // Long enough that activations outweigh what every segment needs.
    const tokens = Int32Array.from({ length: 120 }, (_, index) => own.tokens[index % own.tokens.length] as number);
    const request = { tokens, targets, at: sites, capture: sites.slice(0, 2) };
    // The kernel's working memory alone is larger than a block of these models.
    const roomy = await openLlamaModel(own.file, { threads: 1, contextLength: 0, weightBytes: 0, gradientKernel: 'ggml' });
    const whole = await roomy.gradient(request);
    await roomy.dispose();
    expect(whole.plan.segments).toBe(1);
    const tight = await openLlamaModel(own.file, {
      threads: 1,
      contextLength: 0,
      weightBytes: 0,
      gradientKernel: 'ggml',
      gradientBytes: Math.floor(0.97 * whole.plan.peakBytes),
    });
    try {
      const plans: unknown[] = [];
      const progress: number[] = [];
      const cut = await tight.gradient(request, {
        onPlan: (plan) => plans.push(plan),
        onProgress: (done) => progress.push(done),
      });
      expect(cut.plan.segments).toBeGreaterThan(1);
      expect(cut.plan.peakBytes).toBeLessThanOrEqual(cut.plan.limitBytes);
      expect(plans).toEqual([cut.plan]);
      expect(progress.length).toBeGreaterThan(1);
      expect(values(cut)).toEqual(values(whole));
      expect([...cut.captured]).toEqual([...whole.captured]);
    } finally {
      await tight.dispose();
    }
  },
);

test('what fits nowhere is refused with numbers, and the model stays usable', async () => {
  const tight = await open({ gradientBytes: 50_000 });
  try {
    const refused = tight.gradient({ tokens, targets: [logit(5)], at });
    await expect(refused).rejects.toMatchObject({ code: 'E_GRADIENT_MEMORY' });
    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    const details = error instanceof LoupeError ? error.parts.details : undefined;
    expect(details).toMatchObject({ limitBytes: 50_000 });
    expect(details?.neededBytes).toBeGreaterThan(50_000);
    expect((await tight.forward({ tokens, logits: 'last' })).logits?.values.length).toBe(model.info.vocabulary);
  } finally {
    await tight.dispose();
  }
});

test('embeddings of the prompt give what its tokens give', async () => {
  const { captured } = await model.forward({ tokens, capture: [{ site: { kind: 'embed' } }] });
  const embeddings = captured.get('embed')?.data ?? new Float32Array();
  const request = { tokens, targets: [logit(5)], at };
  const byTokens = await model.gradient({ ...request, capture: [{ kind: 'embed' }] });
  const byEmbeddings = await model.gradient({ ...request, embeddings, capture: [{ kind: 'embed' }] });
  expect(values(byEmbeddings)).toEqual(values(byTokens));
  expect(byEmbeddings.captured).toEqual(byTokens.captured);
});

test('nothing behind the explained position matters, and no key behind a query', async () => {
  const position = 7;
  const { targets } = await model.gradient({ tokens, targets: [logit(5, 1, position)], at });
  const embed = targets[0]?.gradients.get('embed')?.data ?? new Float32Array();
  expect(embed.subarray((position + 1) * model.info.hidden).every((value) => value === 0)).toBe(true);
  const { shape = [], data = new Float32Array() } = targets[0]?.gradients.get('pattern.1') ?? {};
  const size = shape[1] ?? 0;
  const rowsBehind = data.filter((_, index) => Math.floor(index / size) % size > position);
  expect(rowsBehind.every((value) => value === 0)).toBe(true);
});

test('a target no asked site reaches has zeros; a request without sites has a value', async () => {
  const cotangent = golden.targets.get('cotangent-resid_post.0');
  if (cotangent === undefined) throw new Error('no such target');
  const { targets } = await model.gradient({
    tokens,
    targets: [cotangent],
    at: ['resid_mid.1', 'final_norm'].map(parseSiteName),
  });
  for (const { data } of targets[0]?.gradients.values() ?? []) expect(data.every((value) => value === 0)).toBe(true);
  const plain = await model.gradient({ tokens, targets: [logit(5)], at: [] });
  expect(plain.targets[0]?.value).toBe(
    (await model.forward({ tokens, read: [{ position: last, ids: [5] }] })).read[0]?.logits[0],
  );
});

test.each(['llama', 'qwen2', 'qwen3'] as const)('%s: integrated gradients add up along a short path', async (family) => {
  const own = readGradientGolden(family);
  const other = await openLlamaModel(own.file, { threads: 1, contextLength: 0 });
  try {
    const target = logit(5, 1, own.tokens.length - 1);
    const { captured } = await other.forward({ tokens: own.tokens, capture: [{ site: { kind: 'embed' } }] });
    const to = captured.get('embed')?.data ?? new Float32Array();
    // Half the prompt's own embeddings: RMS norms have no scale, so a path to zero would have no end.
    const from = to.map((value, index) => 0.5 * value + 0.05 * Math.sin(index));
    const steps = 64;
    const points = Array.from({ length: steps }, (_, step) => ({ fraction: (step + 0.5) / steps, weight: 1 / steps }));
    const ends = [0, 1].map((fraction) => ({ fraction, weight: 0 }));
    const path = await other.gradientAlong({
      tokens: own.tokens,
      target,
      at: [{ kind: 'embed' }],
      from,
      to,
      points: [...points, ...ends],
    });
    const mean = path.gradients.get('embed')?.data ?? new Float32Array();
    const sum = mean.reduce((total, slope, index) => total + slope * ((to[index] as number) - (from[index] as number)), 0);
    const [before = 0, after = 0] = path.values.slice(-2);
    expect(Math.abs(sum - (after - before))).toBeLessThan(0.01 * Math.abs(after - before));
    expect(path.values.length).toBe(steps + 2);
  } finally {
    await other.dispose();
  }
});

test('weights kept or unpacked at each use, one thread or two: the same numbers', async () => {
  const request = { tokens, targets: [logit(5)], at, precision: 'dequantised' as const };
  const reference = await model.gradient(request);
  for (const options of [{ weightBytes: 0 }, { threads: 2 }]) {
    const other = await open(options);
    expect(values(await other.gradient(request))).toEqual(values(reference));
    await other.dispose();
  }
});

test('the bundled model with the kernel: recomputed in segments, the same bytes', async () => {
  const open = (gradientBytes: number) =>
    openLlamaModel(bundledModel, { threads: 1, contextLength: 0, weightBytes: 0, gradientBytes });
  const ids = Int32Array.from({ length: 30 }, (_, index) => (index * 7919 + 1013) % 49_152);
  const request = {
    tokens: ids,
    targets: [logit(5, 1, 29)],
    at: ['embed', 'pattern.3', 'resid_post.20', 'z.29'].map(parseSiteName),
  };
  const roomy = await open(0);
  const whole = await roomy.gradient(request);
  await roomy.dispose();
  const tight = await open(Math.floor(0.6 * whole.plan.peakBytes));
  const cut = await tight.gradient(request);
  await tight.dispose();
  expect([whole.plan.segments, cut.plan.segments > 1]).toEqual([1, true]);
  expect(values(cut)).toEqual(values(whole));
});
