/** Ablation on a tiny model against single forward passes with the change written out by hand. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { displaced } from '../../../src/analysis/causal/ablation.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';
import type { ToolParameters } from '../../../src/shared/protocol/tools.ts';
import { testModels } from '../../setup/testModels.ts';
import { toolOn } from '../runTool.ts';

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 64 });
});
afterAll(() => model.dispose());

const ids = [3, 17, 5, 42, 8, 17, 9];
const T = ids.length;
const target = { kind: 'id', id: 11 } as const;

interface Ablated {
  readonly rows: (number | string)[];
  readonly columns: string[];
  readonly values: number[][];
  readonly baseline: number;
  readonly order?: number[];
}

async function ablated(parameters: ToolParameters): Promise<Ablated> {
  return (await toolOn(model, 'ablate', { ids, target, parameters })).data as Ablated;
}

/** The logit of token 11 after the prompt. */
async function logit(patches: Patch[]): Promise<number> {
  const { read } = await model.forward({ tokens: Int32Array.from(ids), patches, read: [{ position: T - 1, ids: [11] }] });
  return read[0]?.logits[0] ?? Number.NaN;
}

async function activations(site: Site): Promise<{ data: Float32Array; width: number }> {
  const { captured } = await model.forward({ tokens: Int32Array.from(ids), capture: [{ site }] });
  const data = [...captured.values()][0]?.data ?? new Float32Array();
  return { data, width: data.length / T };
}

test.each(['zero', 'mean', 'shuffle'] as const)('a neuron of a layer, %s: as if taken off by hand', async (how) => {
  const { rows, columns, values, baseline, order } = await ablated({ what: 'neuron', how, layer: 1, neurons: '4, 0 4' });
  expect([rows, columns]).toEqual([[1], ['N4', 'N0']]);
  const site: Site = { kind: 'mlp_post', layer: 1 };
  const { data, width } = await activations(site);
  for (const [column, neuron] of [4, 0].entries()) {
    const own = Array.from({ length: T }, (_, position) => data[position * width + neuron] as number);
    const mean = own.reduce((sum, value) => sum + value, 0) / T;
    const change = new Float32Array(data.length);
    for (const [position, value] of own.entries()) {
      const wanted = { zero: 0, mean, shuffle: own[order?.[position] ?? 0] as number }[how];
      change[position * width + neuron] = wanted - value;
    }
    const expected = (await logit([{ site, operation: { kind: 'add', values: change } }])) - baseline;
    expect(values[0]?.[column]).toBeCloseTo(expected, 5);
  }
});

test.each([
  ['attn', 'attn_out', 'zero'],
  ['mlp', 'mlp_out', 'mean'],
] as const)('%s by position: one change at one position', async (what, kind, how) => {
  const { columns, values, baseline } = await ablated({ what, how, by: 'position' });
  expect(columns).toHaveLength(T);
  for (const layer of [0, 1]) {
    for (const position of [0, 3, T - 1]) {
      const patch: Patch = { site: { kind, layer }, positions: [position], operation: { kind: how } };
      expect(values[layer]?.[position]).toBe((await logit([patch])) - baseline);
    }
  }
});

test('heads of a layer by position', async () => {
  const { rows, columns, values, baseline } = await ablated({ what: 'head', by: 'position', layer: 1 });
  expect(rows).toEqual(Array.from({ length: model.info.heads }, (_, head) => `L1.H${head}`));
  expect(columns).toHaveLength(T);
  const patch: Patch = { site: { kind: 'z', layer: 1 }, heads: [1], positions: [T - 1], operation: { kind: 'zero' } };
  expect(values[1]?.[T - 1]).toBe((await logit([patch])) - baseline);
});

test('shuffled positions: every position takes what stands at another one', async () => {
  const { values, baseline, order = [] } = await ablated({ what: 'attn', how: 'shuffle', layer: 0 });
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: T }, (_, position) => position));
  const site: Site = { kind: 'attn_out', layer: 0 };
  const { data, width } = await activations(site);
  const moved = new Float32Array(data.length);
  order.forEach((from, position) => moved.set(data.subarray(from * width, (from + 1) * width), position * width));
  expect(values[0]?.[0]).toBe((await logit([{ site, operation: { kind: 'overwrite', values: moved } }])) - baseline);
});

test('no position stays where it is, and the seed decides', () => {
  for (let seed = 0; seed < 50; seed++) {
    const order = displaced(5, seededRandom(seed));
    expect(order.every((source, position) => source !== position)).toBe(true);
    expect(order).toEqual(displaced(5, seededRandom(seed)));
  }
});

test('without a list: the most active neurons', async () => {
  const { columns } = await ablated({ what: 'neuron', layer: 0 });
  const { data, width } = await activations({ kind: 'mlp_post', layer: 0 });
  let strongest = 0;
  for (let index = 0; index < data.length; index++) {
    if (Math.abs(data[index] as number) > Math.abs(data[strongest] as number)) strongest = index;
  }
  expect(columns[0]).toBe(`N${strongest % width}`);
});

test.each<[string, ToolParameters, RegExp]>([
  ['neurons of all layers', { what: 'neuron' }, /--layer/],
  ['heads of all layers by position', { what: 'head', by: 'position' }, /--layer/],
  ['a word for a neuron', { what: 'neuron', layer: 0, neurons: '1, two' }, /"two" is no neuron/],
  ['a neuron the layer lacks', { what: 'neuron', layer: 0, neurons: '1 99999' }, /"99999" is no neuron/],
  ['a list of neurons for heads', { what: 'head', neurons: '3' }, /--what neuron/],
])('refuses %s', async (_, parameters, message) => {
  await expect(ablated(parameters)).rejects.toThrow(message);
});
