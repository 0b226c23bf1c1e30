import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headWrites } from '../../../src/analysis/weights/headWrites.ts';
import { neuronWrites } from '../../../src/analysis/weights/neuronWrites.ts';
import { vocabularyOf } from '../../../src/analysis/weights/vocabularyOf.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../../src/model/model.ts';
import { siteName, type Site } from '../../../src/model/sites.ts';
import { goldenFile, maximumDifference } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const ids = [3, 1, 4, 1, 5, 9];
const tokens = Int32Array.from(ids);

describe.each(['tiny_llama', 'tiny_gpt2'])('what parts of %s write', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());

  const captured = async (site: Site, patches: readonly Patch[]) => {
    const result = await model.forward({ tokens, capture: [{ site }], patches });
    return result.captured.get(siteName(site))?.data ?? new Float32Array();
  };
  const minus = (a: Float32Array, b: Float32Array) => a.map((value, at) => value - (b[at] as number));

  it('is what attention adds when a head looks at one token alone', async () => {
    const { heads, hidden } = model.info;
    const [layer, head, size] = [1, heads - 1, ids.length];
    const { tokens: found, isLinear } = await headWrites(model, tokens, { layer, head });
    expect(isLinear).toBe(true);
    const site: Site = { kind: 'attn_out', layer };
    const silent = await captured(site, [{ site: { kind: 'z', layer }, operation: { kind: 'zero' } }]);
    for (let token = 0; token < size; token++) {
      const looking = new Float32Array(size).fill(0);
      looking[token] = 1;
      const pattern: Patch[] = [
        { site: { kind: 'pattern', layer }, operation: { kind: 'zero' } },
        {
          site: { kind: 'pattern', layer },
          heads: [head],
          positions: [size - 1],
          operation: { kind: 'overwrite', values: looking },
        },
      ];
      const row = minus(await captured(site, pattern), silent).subarray((size - 1) * hidden);
      expect(maximumDifference(found.subarray(token * hidden, (token + 1) * hidden), row)).toBeLessThan(1e-5);
    }
  });

  it('spans the directions a head can write along', async () => {
    const { hidden, headSize } = model.info;
    const { tokens: found, directions, strengths } = await headWrites(model, tokens, { layer: 0, head: 1 });
    const inner = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
    const direction = (index: number) => directions.subarray(index * hidden, (index + 1) * hidden);
    expect([...strengths]).toEqual([...strengths].sort((a, b) => b - a));
    for (let i = 0; i < headSize; i++) {
      for (let j = 0; j < headSize; j++) expect(inner(direction(i), direction(j))).toBeCloseTo(i === j ? 1 : 0, 3);
    }
    // Whatever the head writes lies in their span.
    const written = found.subarray(0, hidden);
    const rest = Float32Array.from({ length: headSize }, (_, index) => inner(written, direction(index))).reduce(
      (left, part, index) => left.map((value, at) => value - part * (direction(index)[at] as number)),
      written.slice(),
    );
    expect(inner(rest, rest)).toBeLessThan(1e-6 * inner(written, written));
  });

  it('is what an MLP adds for one unit of a neuron', async () => {
    const { hidden, neurons } = model.info;
    const [layer, neuron, position] = [1, 7, 2];
    const found = await neuronWrites(model, [
      { layer: 0, neuron: 1 },
      { layer, neuron },
    ]);
    const one = new Float32Array(neurons);
    one[neuron] = 1;
    const site: Site = { kind: 'mlp_out', layer };
    const more: Patch = { site: { kind: 'mlp_post', layer }, positions: [position], operation: { kind: 'add', values: one } };
    const change = minus(await captured(site, [more]), await captured(site, []));
    const expected = change.subarray(position * hidden, (position + 1) * hidden);
    expect(maximumDifference(found.subarray(hidden), expected)).toBeLessThan(1e-5);
  });

  it('speaks for and against tokens, and the other way round with the sign turned', async () => {
    const { hidden } = model.info;
    const rows = await neuronWrites(model, [{ layer: 0, neuron: 1 }]);
    const [forward] = await vocabularyOf(model, rows, 4, { asked: [7] });
    const [backward] = await vocabularyOf(
      model,
      rows.map((value) => -value),
      4,
      { asked: [7] },
    );
    expect(rows.length).toBe(hidden);
    expect(forward?.top.map(({ id }) => id)).toEqual(backward?.bottom.map(({ id }) => id));
    expect(forward?.bottom.map(({ logit }) => -logit)).toEqual(
      backward?.top.map(({ logit }) => expect.closeTo(logit, 4) as number),
    );
    expect((forward?.rank ?? 0) + (backward?.rank ?? 0)).toBe(model.info.vocabulary + 1);
  });

  it('is told for every word of the prompt, and for the most active neurons', async () => {
    const head = (await toolOn(model, 'weights', { ids, parameters: { layer: 1, head: 1, top: 3, directions: 2 } })).data as {
      readonly tokens: readonly { readonly id: number; readonly top: readonly unknown[] }[];
      readonly directions: readonly unknown[];
    };
    expect(head.tokens.map(({ id }) => id)).toEqual(ids);
    expect(head.tokens.every(({ top }) => top.length === 3)).toBe(true);
    expect(head.directions.length).toBe(2);
    const parameters = { component: 'neuron', layer: 1, directions: 3 };
    const neurons = ((await toolOn(model, 'weights', { ids, parameters })).data as { neurons: { activation: number }[] }).neurons;
    const all = await captured({ kind: 'mlp_post', layer: 1 }, []);
    const last = [...all.subarray(-model.info.neurons)].map(Math.abs).sort((a, b) => b - a);
    expect(neurons.map(({ activation }) => Math.abs(activation))).toEqual(last.slice(0, 3));
  });

  it.each([
    ['E_LAYER_RANGE', { layer: 99 }],
    ['E_HEAD_RANGE', { head: 99 }],
    ['E_TOOL_PARAMETER', { component: 'neuron', neuron: 1e6 }],
    ['E_TOOL_PARAMETER', { component: 'nothing' }],
    ['E_TOOL_PARAMETER', { neuron: 3 }],
  ])('refuses what is not there: %s', async (code, parameters) => {
    await expect(toolOn(model, 'weights', { ids, parameters })).rejects.toMatchObject({ code });
  });
});
