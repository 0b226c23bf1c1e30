/** The rules of relevance: the graph against its plain form, and what must hold of relevance whatever the model computes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import type { OperatorNumbers } from '../../../src/llama/gradient/execution/emitter.ts';
import { relevanceRules } from '../../../src/llama/gradient/rules/relevance/ruleTable.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientRules, GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { maximumDifference } from '../golden.ts';
import { type GradientFamily, readGradientGolden } from './gradientGolden.ts';
import { OneOperatorGraph, tapeNode, openOperators } from './oneOperator.ts';
import { parseSiteName } from './parseSiteName.ts';

const families: readonly GradientFamily[] = [
  'llama',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
  'phi3',
  'gpt2',
  'qwen3moe',
  'mixtral',
];
// ggml's GELU reads a table of half precision, and near 0 the table's error is divided by a small number.
const tolerances: Partial<Record<GradientFamily, number>> = { gemma2: 2e-3, gemma3: 2e-3, gpt2: 2e-3 };

test.each(families)('%s: graph and plain form agree at every site', async (family) => {
  const golden = readGradientGolden(family);
  const open = (gradientExecutor: 'graph' | 'plain') =>
    openLlamaModel(golden.file, { threads: 1, contextLength: 0, gradientExecutor });
  const [graph, plain] = [await open('graph'), await open('plain')];
  try {
    const at = golden.sites.filter((site) => site !== 'logits').map(parseSiteName);
    const targets = ['span', 'cotangent-pattern.1'].flatMap((name) => golden.targets.get(name) ?? []);
    const request = { tokens: golden.tokens, targets, at, rules: 'relevance' } as const;
    const [fast, slow] = [await graph.gradient(request), await plain.gradient(request)];
    for (const [index, { gradients }] of slow.targets.entries()) {
      for (const [site, { data }] of gradients) {
        const found = fast.targets[index]?.gradients.get(site)?.data ?? [];
        const size = data.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0);
        expect(maximumDifference(found, data), site).toBeLessThanOrEqual((tolerances[family] ?? 2e-5) * size);
      }
    }
  } finally {
    await graph.dispose();
    await plain.dispose();
  }
});

describe('a model without biases', () => {
  const golden = readGradientGolden('llama');
  const { tokens } = golden;
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0 });
  });
  afterAll(() => model.dispose());

  /** ⟨a fixed cotangent, site⟩ */
  const throughSite = (name: string): GradientTarget => ({
    kind: 'cotangent',
    site: parseSiteName(name),
    values: golden.forward(name).data.map((_, index) => Math.sin(1 + 1.7 * index)),
  });
  const run = async (target: GradientTarget, at: string, rules: GradientRules) => {
    const site = parseSiteName(at);
    const result = await model.gradient({ tokens, targets: [target], at: [site], capture: [site], rules });
    const slopes = result.targets[0]?.gradients.get(at)?.data ?? new Float32Array();
    const values = result.captured.get(at)?.data ?? new Float32Array();
    return {
      value: result.targets[0]?.value ?? Number.NaN,
      slopes,
      relevance: slopes.reduce((sum, slope, index) => sum + slope * (values[index] as number), 0),
    };
  };
  const logit: GradientTarget = { kind: 'logit', terms: [{ position: tokens.length - 1, id: 5, weight: 1 }] };

  test('through an MLP and its normalisation all relevance passes', async () => {
    const { value, relevance } = await run(throughSite('mlp_out.0'), 'resid_mid.0', 'relevance');
    expect(relevance / value).toBeCloseTo(1, 4);
  });

  test('the last normalisation passes all relevance of a logit', async () => {
    const { value, relevance } = await run(logit, 'resid_post.1', 'relevance');
    expect(relevance / value).toBeCloseTo(1, 4);
    // Its derivative passes none: the normalised stream does not know how long it was.
    expect((await run(logit, 'resid_post.1', 'exact')).relevance / value).toBeCloseTo(0, 3);
  });

  test('half of what attention gives comes from the values; queries and keys have equal parts of the rest', async () => {
    const target = throughSite('z.0');
    const [values, queries, keys] = await Promise.all(['v.0', 'q.0', 'k.0'].map((site) => run(target, site, 'relevance')));
    expect((values?.relevance ?? 0) / (values?.value ?? 0)).toBeCloseTo(0.5, 4);
    expect((queries?.relevance ?? 0) / (keys?.relevance ?? 0)).toBeCloseTo(1, 3);
    const exact = await run(target, 'q.0', 'exact');
    expect((queries?.relevance ?? 0) / exact.relevance).toBeCloseTo(0.25, 4);
  });

  test('on a linear path relevance is input × gradient, byte for byte', async () => {
    const target = throughSite('attn_out.0');
    expect((await run(target, 'z.0', 'relevance')).slopes).toEqual((await run(target, 'z.0', 'exact')).slopes);
  });

  test('exact is the default', async () => {
    const request = { tokens, targets: [logit], at: [parseSiteName('embed')] };
    const data = async (rules?: GradientRules) =>
      (await model.gradient({ ...request, ...(rules && { rules }) })).targets[0]?.gradients.get('embed')?.data;
    const exact = await data();
    expect(await data('relevance')).not.toEqual(exact);
    expect(await data('exact')).toEqual(exact);
  });

  test('rules nobody wrote are refused', async () => {
    const request = { tokens, targets: [logit], at: [], rules: 'toString' as GradientRules };
    await expect(model.gradient(request)).rejects.toThrow(/E_GRADIENT_TARGET.*exact or relevance/);
  });
});

describe('single operators', () => {
  let backend: GraphBackend;
  let numbers: OperatorNumbers;
  beforeAll(async () => {
    ({ backend, numbers } = await openOperators());
  });
  afterAll(() => backend.free());

  const shape = [4, 2, 1, 1] as const;
  const x = Float32Array.from([0, 1, 2.25, 4, 0.5, 3, 9, 16]);
  const y = Float32Array.from([1, 2, 4, 8, 0.5, 0.25, 2, 1]);
  const seed = Float32Array.from([1, -2, 3, 1, 0.5, 2, -1, 1]);
  const cases: readonly (readonly [string, readonly Float32Array[], readonly ((at: number) => number)[]])[] = [
    ['SQR', [x], [(at) => x[at] as number]],
    ['SQRT', [x], [(at) => (x[at] === 0 ? 0 : 1 / Math.sqrt(x[at] as number))]],
    ['DIV', [x, y], [(at) => 1 / (y[at] as number), () => 0]],
    ['MUL', [x, y], [(at) => (y[at] as number) / 2, (at) => (x[at] as number) / 2]],
  ];
  test.each(cases)('%s', (operator, operands, slopes) => {
    const graph = new OneOperatorGraph(
      backend,
      { operator, shape, operands: operands.map((values) => ({ shape, values })) },
      'relevance',
    );
    try {
      const found = graph.gradients(operands, seed);
      slopes.forEach((slope, index) => {
        const expected = seed.map((upstream, at) => upstream * slope(at));
        expect(maximumDifference(found.graph[index] ?? [], expected)).toBeLessThan(1e-5);
        expect(maximumDifference(found.plain[index] ?? [], expected)).toBeLessThan(1e-5);
      });
    } finally {
      graph.free();
    }
  });

  test('an activation that makes something of nothing is refused', () => {
    const refusal = (name: string) => {
      const operatorParameters = new DataView(new ArrayBuffer(64));
      operatorParameters.setInt32(0, numbers.unary.get(name) ?? -1, true);
      const node = tapeNode('UNARY', shape, [tapeNode('NONE', shape, [])], { operatorParameters });
      return relevanceRules.get('UNARY')?.refusal?.(node, numbers, 1) ?? null;
    };
    for (const name of ['SIGMOID', 'EXP', 'SOFTPLUS', 'STEP']) expect(refusal(name)).toMatch(/no relevance rule/);
    for (const name of ['RELU', 'TANH', 'SILU', 'GELU']) expect(refusal(name)).toBeNull();
  });
});
