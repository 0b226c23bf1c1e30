/** Cancelling, bad input and numbers that are none: an error with a code, and a model that goes on working. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientPathRequest, GradientPlan, GradientRequest, GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { bundledModel } from '../golden.ts';
import { writeTinyModel } from '../tinyGguf.ts';
import { readGradientGolden } from './gradientGolden.ts';
import { PolledFlag } from './polledFlag.ts';

const { file, tokens } = readGradientGolden('llama');
const last = tokens.length - 1;
const target: GradientTarget = { kind: 'logit', terms: [{ position: last, id: 5, weight: 1 }] };
const request: GradientRequest = { tokens, targets: [target], at: [{ kind: 'embed' }] };

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
});
afterAll(() => model.dispose());

/** With less than a whole pass needs it is cut, and can stop while a segment is computed again. */
test.each([
  ['in one piece', 1, 1],
  ['in segments', 0.97, 2],
])('cancelled at any node of either pass, %s, it stops there, and the next request gives the right bytes', async (...row) => {
  const [, share, segments] = row;
  const flag = new PolledFlag();
  const long = Int32Array.from({ length: 60 }, (_, index) => tokens[index % tokens.length] as number);
  const twice: GradientRequest = {
    tokens: long,
    targets: [target, { kind: 'entropy', position: 59 }],
    at: [{ kind: 'embed' }, { kind: 'pattern', layer: 1 }],
  };
  const options = { threads: 1, contextLength: 0, weightBytes: 0, gradientKernel: 'ggml' } as const;
  const roomy = await openLlamaModel(file, options);
  const { plan } = await roomy.gradient(twice);
  await roomy.dispose();
  const gradientBytes = Math.floor(share * plan.peakBytes);
  const watched = await openLlamaModel(file, { ...options, gradientBytes, cancelFlag: flag.array });
  try {
    const expected = await watched.gradient(twice);
    expect(expected.plan.segments).toBe(segments);
    flag.restart(Number.POSITIVE_INFINITY);
    await watched.gradient(twice);
    const { polls } = flag;
    // One poll a node: once forward, and backward for each target.
    expect(polls).toBeGreaterThan(120);
    for (let stopAt = 0; stopAt < polls; stopAt++) {
      flag.restart(stopAt);
      await expect(watched.gradient(twice), `${stopAt}`).rejects.toMatchObject({ code: 'E_CANCELLED' });
      expect(flag.polls - stopAt).toBeLessThanOrEqual(2);
      if (stopAt % 16 !== 0) continue;
      flag.restart(Number.POSITIVE_INFINITY);
      expect((await watched.gradient(twice)).targets).toEqual(expected.targets);
    }
    flag.restart(Number.POSITIVE_INFINITY);
    expect((await watched.gradient(twice)).targets).toEqual(expected.targets);
  } finally {
    await watched.dispose();
  }
});

test('cancelled while weights are unpacked: those made so far are kept, the rest follow', async () => {
  const flag = new PolledFlag();
  const watched = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0, cancelFlag: flag.array });
  const short: GradientRequest = {
    tokens: Int32Array.of(504, 3575, 282),
    targets: [{ kind: 'logit', terms: [{ position: 2, id: 5, weight: 1 }] }],
    at: [{ kind: 'embed' }],
    precision: 'dequantised',
  };
  try {
    flag.restart(30);
    await expect(watched.gradient(short)).rejects.toMatchObject({ code: 'E_CANCELLED' });
    flag.restart(Number.POSITIVE_INFINITY);
    const interrupted = await watched.gradient(short);
    const fresh = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0 });
    expect(interrupted.targets).toEqual((await fresh.gradient(short)).targets);
    await fresh.dispose();
  } finally {
    await watched.dispose();
  }
});

test('an aborted signal stops a path between two points', async () => {
  const stop = new AbortController();
  const { hidden } = model.info;
  const from = new Float32Array(tokens.length * hidden).fill(0.1);
  const to = from.map((value, index) => value + Math.sin(index));
  const points = Array.from({ length: 10 }, (_, step) => ({ fraction: step / 10, weight: 0.1 }));
  const done: number[] = [];
  const path = model.gradientAlong(
    { tokens, target, at: [{ kind: 'embed' }], from, to, points },
    {
      signal: stop.signal,
      onProgress: (step) => {
        done.push(step);
        if (step === 3) stop.abort();
      },
    },
  );
  await expect(path).rejects.toMatchObject({ code: 'E_CANCELLED' });
  expect(done).toEqual([1, 2, 3]);
});

test('a NaN in the weights is reported by the first tensor it reaches, in one piece and in segments', async () => {
  const tiny = writeTinyModel('phi3', (name, data) => {
    if (name === 'blk.1.ffn_down.weight') data[5] = Number.NaN;
  });
  const ids = Int32Array.from({ length: 20 }, (_, index) => (index * 7 + 3) % 64);
  const spoiled: GradientRequest = {
    tokens: ids,
    targets: [{ kind: 'logit', terms: [{ position: 19, id: 5, weight: 1 }] }],
    at: [{ kind: 'embed' }],
  };
  try {
    const plans: GradientPlan[] = [];
    for (const share of [0, 0.97]) {
      const gradientBytes = Math.floor(share * (plans[0]?.peakBytes ?? 0));
      const broken = await openLlamaModel(tiny.file, {
        threads: 1,
        contextLength: 0,
        weightBytes: 0,
        gradientBytes,
        gradientKernel: 'ggml',
      });
      await expect(broken.gradient(spoiled, { onPlan: (plan) => plans.push(plan) })).rejects.toMatchObject({
        code: 'E_NUMERIC',
        message: expect.stringContaining('the tensor ffn_out-1 (MUL_MAT)') as string,
      });
      await broken.dispose();
    }
    expect(plans.map(({ segments }) => segments > 1)).toEqual([false, true]);
  } finally {
    tiny.remove();
  }
});

test('embeddings that hold a NaN are reported', async () => {
  const embeddings = new Float32Array(tokens.length * model.info.hidden).fill(0.1);
  embeddings[40] = Number.NaN;
  await expect(model.gradient({ ...request, embeddings })).rejects.toMatchObject({ code: 'E_NUMERIC' });
});

test('a finite target whose gradient is beyond F32 is reported', async () => {
  const steep: GradientTarget = { kind: 'logit', terms: [{ position: last, id: 5, weight: 1e300 }] };
  await expect(model.gradient({ ...request, targets: [steep] })).rejects.toMatchObject({
    code: 'E_NUMERIC',
    message: expect.stringContaining('the gradient at embed') as string,
  });
});

describe('a path', () => {
  const start = () => new Float32Array(tokens.length * model.info.hidden).fill(0.1);
  const end = () => start().map((value, index) => value + Math.sin(index));
  const along = (part: Partial<GradientPathRequest>) =>
    model.gradientAlong({
      tokens,
      target,
      at: [{ kind: 'embed' }],
      from: start(),
      to: end(),
      points: [{ fraction: 0.5, weight: 1 }],
      ...part,
    });

  test('with ends of another length is refused', async () => {
    await expect(along({ from: new Float32Array(7) })).rejects.toMatchObject({ code: 'E_PATCH_SHAPE' });
    await expect(along({ to: new Float32Array(7) })).rejects.toMatchObject({ code: 'E_PATCH_SHAPE' });
  });

  test('through a NaN is reported', async () => {
    const to = end();
    to[3] = Number.NaN;
    await expect(along({ to })).rejects.toMatchObject({ code: 'E_NUMERIC' });
    await expect(along({ points: [{ fraction: Number.NaN, weight: 1 }] })).rejects.toMatchObject({ code: 'E_GRADIENT_TARGET' });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a point that weighs %s is refused', async (weight) => {
    await expect(along({ points: [{ fraction: 0.5, weight }] })).rejects.toBeInstanceOf(LoupeError);
  });

  test('without points has a gradient of zeros', async () => {
    const { gradients } = await along({ points: [] });
    expect(gradients.get('embed')?.data).toEqual(new Float32Array(tokens.length * model.info.hidden));
  });
});

const vocabulary = 64;
const uniform = new Float32Array(vocabulary).fill(1 / vocabulary);
const term = { position: last, id: 5, weight: 1 };
const refused: readonly (readonly [string, Partial<GradientRequest>, string])[] = [
  ['no tokens', { tokens: new Int32Array() }, 'E_TOKEN_RANGE'],
  ['a token that is none', { tokens: Int32Array.of(1, 1e9) }, 'E_TOKEN_RANGE'],
  ['a prompt beyond the context', { tokens: new Int32Array(1e6) }, 'E_CONTEXT_OVERFLOW'],
  ['embeddings too short', { embeddings: new Float32Array(7) }, 'E_PATCH_SHAPE'],
  ['a position outside', { targets: [{ kind: 'logit', terms: [{ ...term, position: 99 }] }] }, 'E_GRADIENT_TARGET'],
  ['half a position', { targets: [{ kind: 'entropy', position: 0.5 }] }, 'E_GRADIENT_TARGET'],
  ['a target token that is none', { targets: [{ kind: 'logprob', terms: [{ ...term, id: -1 }] }] }, 'E_GRADIENT_TARGET'],
  ['no terms', { targets: [{ kind: 'probability', terms: [] }] }, 'E_GRADIENT_TARGET'],
  [
    'an infinite weight',
    { targets: [{ kind: 'logit', terms: [{ ...term, weight: Number.POSITIVE_INFINITY }] }] },
    'E_GRADIENT_TARGET',
  ],
  [
    'a short row of weights',
    { targets: [{ kind: 'linear', rows: [{ position: 0, weights: new Float32Array(3) }] }] },
    'E_GRADIENT_TARGET',
  ],
  [
    'a reference that adds up to 2',
    { targets: [{ kind: 'kl', position: 0, reference: uniform.map((share) => 2 * share), direction: 'from-reference' }] },
    'E_GRADIENT_TARGET',
  ],
  [
    'a reference with a zero the divergence divides by',
    {
      targets: [
        {
          kind: 'kl',
          position: 0,
          reference: Float32Array.from(uniform, (_, id) => (id === 0 ? 1 : 0)),
          direction: 'to-reference',
        },
      ],
    },
    'E_GRADIENT_TARGET',
  ],
  [
    'a cotangent of the wrong size',
    { targets: [{ kind: 'cotangent', site: { kind: 'resid_post', layer: 0 }, values: new Float32Array(3) }] },
    'E_GRADIENT_TARGET',
  ],
  ['the logits as a site', { at: [{ kind: 'logits' }] }, 'E_SITE_UNKNOWN'],
  ['a layer that is none', { at: [{ kind: 'resid_post', layer: 40 }] }, 'E_LAYER_RANGE'],
  ['a site without its layer', { at: [{ kind: 'pattern' }] }, 'E_SITE_UNKNOWN'],
];

test.each(refused)('%s is refused', async (_, part, code) => {
  const info = { vocabulary: model.info.vocabulary };
  const scaled = info.vocabulary === vocabulary ? part : resized(part, info.vocabulary);
  await expect(model.gradient({ ...request, ...scaled })).rejects.toMatchObject({ code });
});

test('after all of these the model gives the bytes of a fresh one', async () => {
  const fresh = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  const expected = await fresh.gradient(request);
  await fresh.dispose();
  expect((await model.gradient(request)).targets).toEqual(expected.targets);
});

/** The distributions above for a model with another vocabulary. */
function resized(part: Partial<GradientRequest>, size: number): Partial<GradientRequest> {
  const targets = part.targets?.map((one): GradientTarget => {
    if (one.kind !== 'kl') return one;
    const share = (one.reference[1] ?? 0) * vocabulary;
    return {
      ...one,
      reference: Float32Array.from({ length: size }, (_, id) => (share === 0 ? (id === 0 ? 1 : 0) : share / size)),
    };
  });
  return targets === undefined ? part : { ...part, targets };
}
