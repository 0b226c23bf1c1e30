import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { waterfall } from '../../../src/analysis/directLogit/components.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel, goldenCase, goldenFile, relativeDifference } from '../../llama/golden.ts';
import { toolOn, type ToolRun } from '../runTool.ts';

interface Data {
  readonly target: { readonly value: number };
  readonly embedding: number;
  readonly heads: readonly (readonly number[])[];
  readonly mlps: readonly number[];
  readonly biases: { readonly attention: readonly number[]; readonly norm: number };
  readonly sum: number;
  readonly residue: number;
  readonly sources: { readonly shape: readonly number[]; readonly values: Float32Array };
}

const added = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

// Biases and a LayerNorm in gpt2, biases at q, k and v in qwen2.
describe.each(['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'])('%s', (name) => {
  const ids = (JSON.parse(readFileSync(goldenFile(name, 'meta.json'), 'utf8')) as { ids: number[] }).ids.slice(0, 10);
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());

  const runs: [what: string, run: ToolRun, ids: (next: number) => readonly (readonly [id: number, weight: number])[]][] = [
    ['the next token, as a logit', {}, (next) => [[next, 1]]],
    ['a token by its id', { target: { kind: 'id', id: 5 } }, () => [[5, 1]]],
  ];
  it.each(runs)('%s is the sum of its parts', async (_what, run, terms) => {
    const { data, blocks } = await toolOn(model, 'direct-logit', { ids, ...run });
    const found = data as Data;
    const { read, logits } = await model.forward({
      tokens: Int32Array.from(ids),
      logits: 'last',
      read: [{ position: ids.length - 1, ids: [], top: 1 }],
    });
    const value = added(terms(read[0]?.top[0]?.id ?? 0).map(([id, weight]) => weight * (logits?.values[id] ?? Number.NaN)));
    expect(Math.abs(found.target.value - value)).toBeLessThan(1e-4);
    const parts = [found.embedding, ...found.heads.flat(), ...found.mlps, ...found.biases.attention, found.biases.norm];
    expect(Math.abs(added(parts) - value)).toBeLessThan(1e-3);
    expect(added(parts)).toBeCloseTo(found.sum, 4);
    const [layers = 0, heads = 0, size = 0] = found.sources.shape;
    expect([layers, heads, size]).toEqual([model.info.layers, model.info.heads, ids.length]);
    found.heads.flat().forEach((head, index) => {
      expect(added(found.sources.values.subarray(index * size, (index + 1) * size))).toBeCloseTo(head, 4);
    });
    const bars = blocks.find((block) => block.kind === 'bars');
    expect(added(bars?.bars.map((bar) => bar.value) ?? [])).toBeCloseTo(bars?.total?.value ?? Number.NaN, 4);
  });

  it('refuses an entropy', async () => {
    const asked = toolOn(model, 'direct-logit', { ids, target: { kind: 'entropy' } });
    await expect(asked).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });
});

test('the bundled file as served against the golden decomposition', async () => {
  const { ids, target_ids: targets } = goldenCase('fact');
  const golden = (JSON.parse(readFileSync(goldenFile('fact', 'dla.json'), 'utf8')) as Record<string, Golden>).target as Golden;
  const model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 64 });
  try {
    const parameters = { precision: 'dequantised' };
    const { data } = await toolOn(model, 'direct-logit', { ids, target: { kind: 'id', id: targets[0] ?? 0 }, parameters });
    const { embedding, heads, mlps, residue } = data as Data;
    const all = [golden.embed, ...golden.heads.flat(), ...golden.mlp];
    expect(relativeDifference([embedding, ...heads.flat(), ...mlps], all)).toBeLessThan(1e-3);
    expect(Math.abs(residue)).toBeLessThan(1e-3);
  } finally {
    await model.dispose();
  }
});

interface Golden {
  readonly embed: number;
  readonly heads: readonly (readonly number[])[];
  readonly mlp: readonly number[];
}

test('a waterfall ends at the target whatever is left out', () => {
  const parts = {
    embedding: Float64Array.of(1, 0),
    heads: [
      [3, -2],
      [0.5, 0.25],
    ],
    headTokens: [],
    mlps: [-4, 1],
    attentionBiases: [0.5, 0],
    normBias: 0,
    sum: 0.25,
    expected: 0.5,
    isSum: true,
    precision: 'as-served' as const,
    forwardPasses: 1,
  };
  expect(waterfall(parts, 3)).toEqual([
    { label: 'embedding', value: 1 },
    { label: 'L0 MLP', value: -4, layer: 0 },
    { label: 'L0.H0', value: 3, layer: 0, head: 0 },
    { label: 'L0.H1', value: -2, layer: 0, head: 1 },
    { label: '2 other heads', value: 0.75 },
    { label: '1 other MLPs', value: 1 },
    { label: 'attention biases, rounding', value: 0.5 },
    { label: 'rounding', value: 0.25 },
  ]);
});
