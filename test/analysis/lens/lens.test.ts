import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeThrough } from '../../../src/analysis/activations/writeThrough.ts';
import { headVectors, streamSites, streamVectors } from '../../../src/analysis/lens/lensVectors.ts';
import { readLens } from '../../../src/analysis/lens/readLens.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { logSumExp } from '../../../src/model/logSumExp.ts';
import { goldenFile, logSoftmaxDivergence, maximumDifference } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const ids = [3, 1, 4, 1, 5, 9];
const tokens = Int32Array.from(ids);

interface LensData {
  readonly layers: readonly {
    readonly layer: number;
    readonly head?: number;
    readonly positions: readonly {
      readonly top: readonly { readonly id: number; readonly text: string; readonly logprob: number }[];
      readonly targetRank: number;
      readonly targetLogprob: number;
      readonly nextRank: number | null;
      readonly entropy: number;
      readonly kl: number;
    }[];
  }[];
}

// Biases at q, k and v; and biases everywhere with a LayerNorm.
describe.each(['tiny_llama', 'tiny_qwen2', 'tiny_gpt2'])('lens on %s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());

  /** Plain reference: the vectors of a site put behind the last block of a whole forward pass. */
  const logitsOf = async (vectors: Float32Array) => {
    const site = { kind: 'resid_post', layer: model.info.layers - 1 } as const;
    const patches = [{ site, operation: { kind: 'overwrite', values: vectors } }] as const;
    const { logits } = await model.forward({ tokens, logits: 'all', patches });
    return ids.map((_, at) =>
      (logits?.values ?? new Float32Array()).subarray(at * model.info.vocabulary, (at + 1) * model.info.vocabulary),
    );
  };

  it.each(streamSites)('reads %s as if it stood behind the last block', async (site) => {
    const target = 7;
    const { data } = await toolOn(model, 'lens', { ids, parameters: { site, top: 3 }, target: { kind: 'id', id: target } });
    const layers = model.info.layers;
    const all = Array.from({ length: layers }, (_, layer) => layer);
    const request = { tokens, layers: all, positions: ids.map((_, at) => at) };
    const { rows, final } = await streamVectors(model, site, request);
    const own = await logitsOf(final);
    const found = (data as LensData).layers;
    expect(found.map(({ layer }) => layer)).toEqual(all);
    for (const { layer, vectors } of rows) {
      for (const [position, row] of (await logitsOf(vectors)).entries()) {
        const cell = found[layer]?.positions[position];
        const total = logSumExp(row);
        const order = [...row.keys()].toSorted((a, b) => (row[b] as number) - (row[a] as number) || a - b);
        expect(cell?.top.map(({ id }) => id)).toEqual(order.slice(0, 3));
        expect(cell?.targetLogprob).toBeCloseTo((row[target] as number) - total, 4);
        expect(cell?.targetRank).toBe(order.indexOf(target) + 1);
        const next = ids[position + 1];
        expect(cell?.nextRank).toBe(next === undefined ? null : order.indexOf(next) + 1);
        expect(cell?.entropy).toBeCloseTo(
          row.reduce((sum, logit) => sum - Math.exp(logit - total) * (logit - total), 0),
          4,
        );
        expect(cell?.kl).toBeCloseTo(logSoftmaxDivergence(own[position] ?? row, row), 4);
      }
    }
  });

  it('says at the last layer what the model says', async () => {
    const { data } = await toolOn(model, 'lens', { ids });
    const { read } = await model.forward({ tokens, read: ids.map((_, position) => ({ position, ids: [], top: 5 })) });
    (data as LensData).layers.at(-1)?.positions.forEach(({ top, kl }, position) => {
      expect(top.map(({ id }) => id)).toEqual(read[position]?.top.map(({ id }) => id));
      expect(kl).toBeLessThan(1e-6);
    });
  });

  it('reads heads whose outputs add up to what attention writes', async () => {
    const { layers, heads, hidden } = model.info;
    const every = (count: number) => Array.from({ length: count }, (_, index) => index);
    const request = { tokens, layers: every(layers), positions: [2, 5] };
    const { rows, isSum } = await headVectors(model, { ...request, heads: every(heads) });
    const attention = await streamVectors(model, 'attn_out', request);
    const nothing = await model.forward({
      tokens,
      capture: every(layers).map((layer) => ({ site: { kind: 'attn_out', layer } })),
      patches: every(layers).map((layer) => ({ site: { kind: 'z', layer }, operation: { kind: 'zero' } })),
    });
    for (const layer of every(layers)) {
      const bias = nothing.captured.get(`attn_out.${layer}`)?.data ?? new Float32Array();
      const sum = new Float32Array(2 * hidden).map((_, at) =>
        rows
          .filter((row) => row.layer === layer)
          .reduce((total, { vectors }) => total + (vectors[at] as number), bias[at % hidden] ?? 0),
      );
      expect(maximumDifference(sum, attention.rows[layer]?.vectors ?? [])).toBeLessThan(1e-5);
    }
    expect(isSum).toBe(true);
    const { data } = await toolOn(model, 'lens', { ids, parameters: { site: 'head' } });
    expect((data as LensData).layers.map(({ layer, head }) => [layer, head])).toEqual(
      every(layers).flatMap((layer) => every(heads).map((head) => [layer, head])),
    );
  });

  it('reads heads at the last position, or everywhere: those of one layer, or where it is asked for', async () => {
    const read = async (parameters: Readonly<Record<string, string | number>>) =>
      ((await toolOn(model, 'lens', { ids, parameters: { site: 'head', top: 1, ...parameters } })).data as LensData).layers;
    const everywhere = await read({ positions: 'all' });
    expect(everywhere.map(({ positions }) => positions.length)).toEqual(everywhere.map(() => ids.length));
    expect(await read({ layer: 1 })).toEqual(everywhere.filter(({ layer }) => layer === 1));
    expect(await read({ head: 1 })).toEqual(everywhere.filter(({ head }) => head === 1));
    const last = everywhere.map(({ positions, ...row }) => ({ ...row, positions: positions.slice(-1) }));
    expect(await read({})).toEqual(last);
    expect(await read({ positions: 'last' })).toEqual(last);
  });

  it('writes single neurons through the projection', async () => {
    const { neurons, hidden } = model.info;
    const one = (neuron: number, value: number) => new Float32Array(neurons).map((_, at) => (at === neuron ? value : 0));
    const both = new Float32Array(neurons).map((_, at) => (at === 3 ? 2 : at === 5 ? -1 : 0));
    const rows = new Float32Array([...one(3, 1), ...one(5, 1), ...both]);
    const { outputs, isLinear } = await writeThrough(model, 'neurons', [{ layer: 1, rows }]);
    const row = (index: number) => outputs[0]?.subarray(index * hidden, (index + 1) * hidden) ?? new Float32Array();
    expect(
      maximumDifference(
        row(2),
        row(0).map((value, at) => 2 * value - (row(1)[at] as number)),
      ),
    ).toBeLessThan(1e-5);
    expect(isLinear).toBe(true);
  });

  it.each([
    ['E_LAYER_RANGE', { layer: 99 }],
    ['E_HEAD_RANGE', { site: 'head', head: 99 }],
    ['E_TOOL_PARAMETER', { site: 'nowhere' }],
    ['E_TOOL_PARAMETER', { top: 0 }],
    ['E_TOOL_PARAMETER', { site: 'attn_out', head: 1 }],
  ])('refuses what the model does not have: %s', async (code, parameters) => {
    await expect(toolOn(model, 'lens', { ids, parameters })).rejects.toMatchObject({ code });
  });

  it('gives the same whether all layers are held at once or one at a time', async () => {
    const layers = Array.from({ length: model.info.layers }, (_, layer) => layer);
    const read = (heldFloats: number) =>
      readLens(
        { tokens, layers, positions: [1, 5] },
        {
          model,
          vectorsOf: (request) => streamVectors(model, 'resid_post', request),
          targetOf: (predicted) => () => predicted,
          top: 2,
          signal: new AbortController().signal,
          onProgress: () => undefined,
          heldFloats,
        },
      );
    const [whole, single] = [await read(1e6), await read(1)];
    expect([whole.forwardPasses, single.forwardPasses]).toEqual([1, layers.length]);
    expect(single.rows).toEqual(whole.rows);
    expect(single.targets).toEqual(whole.targets);
    const flat = (reading: typeof whole) => reading.report.cells.flat();
    flat(single).forEach((cell, at) => {
      expect(cell.top[0]?.id).toBe(flat(whole)[at]?.top[0]?.id);
      expect(cell.kl).toBeCloseTo(flat(whole)[at]?.kl ?? Number.NaN, 4);
    });
  });

  it('gives the same bytes twice', async () => {
    const run = async () => (await toolOn(model, 'lens', { ids, parameters: { site: 'attn_out' } })).data;
    expect(await run()).toEqual(await run());
  });
});
