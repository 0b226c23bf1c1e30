/** What must hold between gradients, whatever their values. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientResult, GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { bundledModel, maximumDifference } from '../golden.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';
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

/** What must be equal, byte for byte: values, and a digest of every tensor. */
function values({ targets, captured }: GradientResult): unknown {
  const digests = (tensors: GradientResult['captured']) =>
    [...tensors].map(([site, { shape, data }]) => ({ site, shape, digest: createHash('sha256').update(data).digest('hex') }));
  return {
    targets: targets.map(({ value, gradients }) => ({ value, gradients: digests(gradients) })),
    captured: digests(captured),
  };
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

test('forward passes give the bytes of a model that never took a gradient', async () => {
  const capture = ['scores.0', 'z.1', 'resid_post.1'].map((name) => ({ site: parseSiteName(name) }));
  const untouched = await open({});
  const expected = await untouched.forward({ tokens, logits: 'all', capture });
  await untouched.dispose();
  for (const precision of ['as-served', 'dequantised'] as const) {
    await model.gradient({ tokens, targets: [logit(5)], at, precision });
    expect(await model.forward({ tokens, logits: 'all', capture })).toEqual(expected);
  }
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

test.each(gradientFamilies)('%s: in as little memory as the refusal names, every target gives the same bytes', async (family) => {
  const own = readGradientGolden(family);
  const length = 60;
  const tokens = Int32Array.from({ length }, (_, index) => own.tokens[index % own.tokens.length] as number);
  const options = { threads: 1, contextLength: 0, weightBytes: 0, gradientKernel: 'ggml' } as const;
  const roomy = await openLlamaModel(own.file, options);
  const embed: Site = { kind: 'embed' };
  const { captured } = await roomy.forward({ tokens, capture: [{ site: embed }] });
  const { layers, hidden } = roomy.info;
  const targets: GradientTarget[] = [
    ...[...own.targets.values()].filter(({ kind }) => kind !== 'cotangent'),
    ...Array.from({ length: layers }, (_, layer): GradientTarget => {
      const values = Float32Array.from({ length: length * hidden }, (_, index) => Math.sin(index * index));
      return { kind: 'cotangent', site: { kind: 'resid_mid', layer }, values };
    }),
  ];
  const at = own.sites.filter((site) => site !== 'logits').map(parseSiteName);
  const request = { tokens, embeddings: captured.get('embed')?.data ?? new Float32Array(), targets, at, capture: at };
  const whole = await roomy.gradient(request);
  await roomy.dispose();
  const refusing = await openLlamaModel(own.file, { ...options, gradientBytes: 1000 });
  const error: unknown = await refusing.gradient(request).catch((thrown: unknown) => thrown);
  await refusing.dispose();
  const neededBytes = Number(error instanceof LoupeError ? error.parts.details?.neededBytes : Number.NaN);
  const tight = await openLlamaModel(own.file, { ...options, gradientBytes: neededBytes });
  try {
    const cut = await tight.gradient(request);
    // A piece for each block.
    expect([cut.plan.segments, cut.plan.peakBytes]).toEqual([layers, neededBytes]);
    expect(values(cut)).toEqual(values(whole));
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
});

test.each(gradientFamilies)('%s: nothing behind the explained position matters, and no key behind a query', async (family) => {
  const own = readGradientGolden(family);
  const other = await openLlamaModel(own.file, { threads: 1, contextLength: 0 });
  try {
    const position = 7;
    const sites = own.sites.filter((site) => site !== 'logits');
    const { targets } = await other.gradient({
      tokens: own.tokens,
      targets: [logit(5, 1, position)],
      at: sites.map(parseSiteName),
    });
    for (const [site, { shape, data }] of targets[0]?.gradients ?? []) {
      const attention = /^(scores|pattern)/.test(site);
      // [heads, query, key] or [position, …]
      const [, size = 0] = shape;
      const row = data.length / (shape[0] ?? 1);
      const query = (index: number) => (attention ? Math.floor(index / size) % size : Math.floor(index / row));
      const behind = data.filter((_, index) => query(index) > position);
      expect(behind.length, site).toBeGreaterThan(0);
      expect(
        behind.every((value) => value === 0),
        site,
      ).toBe(true);
      if (!site.startsWith('scores')) continue;
      // The pattern's own derivative is none: a masked key would count if it were looked at.
      const masked = data.filter((_, index) => index % size > query(index));
      expect(
        masked.every((value) => value === 0),
        site,
      ).toBe(true);
      // A softmax does not see what is added to all keys of a query.
      const largest = Math.max(...data.map(Math.abs));
      for (let start = 0; start < data.length; start += size) {
        const sum = data.subarray(start, start + size).reduce((total, value) => total + value, 0);
        expect(Math.abs(sum), site).toBeLessThanOrEqual(1e-5 * largest);
      }
    }
  } finally {
    await other.dispose();
  }
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

test.each([
  ['as-served', 'auto'],
  ['dequantised', 'auto'],
  ['as-served', 'ggml'],
  ['dequantised', 'ggml'],
] as const)(
  'the bundled model %s, kernel %s: the same bytes, whatever ran, whatever is kept',
  async (precision, gradientKernel) => {
    const ids = Int32Array.of(504, 3575, 282, 4649, 314);
    const request = {
      tokens: ids,
      targets: [logit(7042, 1, 4)],
      at: ['embed', 'pattern.3', 'q.12'].map(parseSiteName),
      precision,
    };
    const keeping = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0, gradientKernel });
    const first = await keeping.gradient(request);
    await keeping.generate({ tokens: ids, maxTokens: 4, temperature: 0, seed: 1, top: 0 });
    await keeping.forward({ tokens: ids.subarray(1), logits: 'last' });
    const second = await keeping.gradient(request);
    await keeping.dispose();
    expect(values(second)).toEqual(values(first));
    const frugal = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0, gradientKernel, weightBytes: 0 });
    const without = await frugal.gradient(request);
    await frugal.dispose();
    expect([first.plan.weightBytes > 0, without.plan.weightBytes]).toEqual([true, 0]);
    expect(values(without)).toEqual(values(first));
  },
);
