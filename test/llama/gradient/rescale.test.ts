/** The rules of rescale: parts that add up to the difference between two inputs, whatever lies between; derivatives where the two agree. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import type { OperatorNumbers, Shape } from '../../../src/llama/gradient/execution/emitter.ts';
import { logarithmicMean } from '../../../src/model/rescaleSeed.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientRequest, GradientTarget } from '../../../src/model/gradient.ts';
import { maximumDifference } from '../golden.ts';
import { type GradientFamily, readGradientGolden } from './gradientGolden.ts';
import { type OneOperator, OneOperatorGraph, openOperators } from './oneOperator.ts';
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
    const { tokens, targets } = request;
    const exact: GradientRequest = { tokens, embeddings, targets, at };
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

describe('single operators', () => {
  let backend: GraphBackend;
  let numbers: OperatorNumbers;
  beforeAll(async () => {
    ({ backend, numbers } = await openOperators());
  });
  afterAll(() => backend.free());

  const shape: Shape = [4, 2, 1, 1];
  // Far apart, near, equal, and on both sides of a bound.
  const x = Float32Array.from([0.5, 2, 1.25, 3, 4, 0.75, 1, 6]);
  const x0 = Float32Array.from([2, 2.001, 1.25, 0.5, 5, 0.1, 7, 0.25]);
  const y = Float32Array.from([1, -2, 4, 0.5, 2, 3, -1, 1]);
  const y0 = Float32Array.from([3, 1, 4, 2, -2, 0.5, 1, 8]);
  const seed = Float32Array.from([1, -2, 3, 1, 0.5, 2, -1, 1]);

  function run(operator: OneOperator, pairs: readonly (readonly [Float32Array, Float32Array])[]) {
    const graph = new OneOperatorGraph(backend, operator, 'rescale');
    try {
      return graph.multipliers(
        pairs.map(([value]) => value),
        pairs.map(([, reference]) => reference),
        seed,
      );
    } finally {
      graph.free();
    }
  }
  const described = (operator: string, operands: number, parts: Partial<OneOperator> = {}): OneOperator => ({
    operator,
    shape,
    operands: Array.from({ length: operands }, () => ({ shape, values: x })),
    ...parts,
  });

  const activationNames = ['RELU', 'TANH', 'SIGMOID', 'EXP', 'SOFTPLUS', 'SILU', 'GELU_ERF', 'NEG'];
  const single = (): (readonly [string, OneOperator])[] => [
    ['SQR', described('SQR', 1)],
    ['SQRT', described('SQRT', 1)],
    ['CLAMP', described('CLAMP', 1, { floats: [0.6, 3.5] })],
    ...activationNames.map((name) => [name, described('UNARY', 1, { integers: [numbers.unary.get(name) ?? -1] })] as const),
  ];
  test('of single elements: the slope of the straight line between both', () => {
    for (const [name, operator] of single()) {
      const { results, multipliers } = run(operator, [[x, x0]]);
      multipliers[0]?.forEach((multiplier, at) => {
        const difference = (results[0][at] as number) - (results[1][at] as number);
        const part = multiplier * ((x[at] as number) - (x0[at] as number));
        expect(Math.abs(part - (seed[at] as number) * difference), `${name} ${at}`).toBeLessThan(
          2e-5 * (1 + Math.abs(difference)),
        );
        expect(Number.isFinite(multiplier)).toBe(true);
      });
    }
  });

  test('a product and a quotient share by the mean of the other', () => {
    const product = run(described('MUL', 2), [
      [x, x0],
      [y, y0],
    ]).multipliers;
    const quotient = run(described('DIV', 2), [
      [y, y0],
      [x, x0],
    ]).multipliers;
    seed.forEach((upstream, at) => {
      const [a, a0, b, b0] = [x, x0, y, y0].map((values) => values[at]) as [number, number, number, number];
      expect(product[0]?.[at]).toBeCloseTo((upstream * (b + b0)) / 2, 4);
      expect(product[1]?.[at]).toBeCloseTo((upstream * (a + a0)) / 2, 4);
      expect(quotient[0]?.[at]).toBeCloseTo((upstream * (1 / a + 1 / a0)) / 2, 4);
      expect(quotient[1]?.[at]).toBeCloseTo((-upstream * (b + b0)) / 2 / (a * a0), 3);
    });
  });

  test.each([
    ['RMS_NORM', [1e-5]],
    ['NORM', [1e-5]],
    ['SOFT_MAX', [1.5, 0]],
  ] as const)('%s: the parts of a row add up', (operator, floats) => {
    const { results, multipliers } = run(described(operator, 1, { floats }), [[x, x0]]);
    for (const row of [0, 4]) {
      let [sum, difference] = [0, 0];
      for (let at = row; at < row + 4; at++) {
        sum += (multipliers[0]?.[at] ?? Number.NaN) * ((x[at] as number) - (x0[at] as number));
        difference += (seed[at] as number) * ((results[0][at] as number) - (results[1][at] as number));
      }
      expect(sum).toBeCloseTo(difference, 5);
    }
  });

  test('the logarithmic mean', () => {
    expect(logarithmicMean(1, Math.E)).toBeCloseTo(Math.E - 1, 12);
    expect(logarithmicMean(0.25, 0.25)).toBe(0.25);
    expect(logarithmicMean(1, 1 + 1e-5)).toBeCloseTo(1 + 5e-6, 10);
    expect(logarithmicMean(0, 0.5)).toBe(0);
  });
});
