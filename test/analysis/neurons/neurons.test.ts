import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chosenNeuron } from '../../../src/analysis/neurons/chosenNeuron.ts';
import { activationsOf, effectOfAblation, strongestNeurons, targetValue } from '../../../src/analysis/neurons/neuronEffects.ts';
import type { NeuronReport } from '../../../src/analysis/neurons/neuronBlocks.ts';
import { neuronExamples, windowTokens } from '../../../src/analysis/neurons/neuronExamples.ts';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';
import { goldenFile } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const ids = Int32Array.of(3, 1, 4, 1, 5, 9);

describe.each(['tiny_llama', 'tiny_gpt2'])('neurons of %s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());
  const target = () => resolveTarget({ kind: 'id', id: 7 }, 'logit', { model, next: 0, response: [] });

  it.each([[[5]], [[0, 1, 2, 3, 4, 5]]])('are found by activation × gradient at %j', async (positions) => {
    const asked = await target();
    const { neurons } = await strongestNeurons(model, { ids, target: asked, positions, rankBy: 'effect', count: 8 });
    const sites = Array.from({ length: model.info.layers }, (_, layer): Site => ({ kind: 'mlp_post', layer }));
    const { targets, captured } = await model.gradient({
      tokens: ids,
      targets: [asked.gradient(ids.length)],
      at: sites,
      capture: sites,
    });
    const width = model.info.neurons;
    const all = sites.flatMap((site, layer) =>
      Array.from({ length: width }, (_, neuron) => {
        const at = (values: Float32Array | undefined, place: number) => values?.[place * width + neuron] ?? Number.NaN;
        const [values, slopes] = [captured, targets[0]?.gradients].map((from) => from?.get(`mlp_post.${site.layer}`)?.data);
        return { layer, neuron, effect: positions.reduce((sum, place) => sum + at(values, place) * at(slopes, place), 0) };
      }),
    );
    all.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
    expect(neurons.map(({ layer, neuron }) => [layer, neuron])).toEqual(
      all.slice(0, 8).map(({ layer, neuron }) => [layer, neuron]),
    );
    neurons.forEach(({ effect }, index) => expect(effect).toBeCloseTo(all[index]?.effect ?? Number.NaN, 6));
  });

  it('are switched off as a layer is that lacks their activation', async () => {
    const asked = await target();
    const clean = await targetValue(model, ids, asked);
    const neuron = { layer: 0, neuron: 3 };
    const effect = await effectOfAblation(model, { ids, target: asked, positions: [1, 4] }, neuron, clean);
    const { captured } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'mlp_post', layer: 0 } }] });
    const values = captured.get('mlp_post.0')?.data.slice() ?? new Float32Array();
    for (const position of [1, 4]) values[position * model.info.neurons + 3] = 0;
    const patches = [{ site: { kind: 'mlp_post', layer: 0 }, operation: { kind: 'overwrite', values } }] as const;
    const { read } = await model.forward({ tokens: ids, patches, read: asked.reads(ids.length) });
    expect(effect).toBeCloseTo(clean - asked.value(read), 5);
    expect(effect).not.toBe(0);
    expect(await targetValue(model, ids, asked)).toBe(clean);
  });

  it('are told with what they write', async () => {
    const { data } = await toolOn(model, 'neurons', {
      ids: [...ids],
      parameters: { top: 4, position: -2 },
      target: { kind: 'id', id: 7 },
    });
    const { neurons, activations } = data as { neurons: NeuronReport[]; activations: { tokens: { activation: number }[] } };
    expect(neurons.length).toBe(4);
    const [first] = neurons;
    const own = await activationsOf(model, ids, { layer: first?.layer ?? 0, neuron: first?.neuron ?? 0 });
    expect(activations.tokens.map(({ activation }) => activation)).toEqual([...own]);
    expect(Math.abs(first?.activation ?? 0)).toBe(own.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    expect(first?.top.length).toBe(6);
  });

  it('are told the same by name as when they are found', async () => {
    const run = async (parameters: Readonly<Record<string, string | number>>) => {
      const { data } = await toolOn(model, 'neurons', {
        ids: [...ids],
        parameters: { position: -2, ...parameters },
        target: { kind: 'id', id: 7 },
      });
      return (data as { neurons: NeuronReport[] }).neurons;
    };
    const [found] = await run({ top: 1 });
    const named = await run({ neuron: `${found?.layer}.${found?.neuron}` });
    expect(named).toEqual([{ ...found, effect: expect.closeTo(found?.effect ?? Number.NaN, 5) }]);
  });

  it.each([
    ['E_TOOL_PARAMETER', { neuron: 'three' }],
    ['E_TOOL_PARAMETER', { neuron: '0.100000' }],
    ['E_LAYER_RANGE', { neuron: '99.1' }],
    ['E_TOOL_PARAMETER', { position: 6 }],
  ])('refuse what is not there: %s', async (code, parameters) => {
    await expect(toolOn(model, 'neurons', { ids: [...ids], parameters })).rejects.toMatchObject({ code });
  });
});

describe('a neuron in a text', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 0 });
  });
  afterAll(() => model.dispose());

  it('is looked for window by window, without the first token of each', async () => {
    const size = Math.min(windowTokens, model.info.contextLength);
    const text = Int32Array.from({ length: 2 * size + 7 }, (_, index) => (index * 31) % 90);
    const found = await neuronExamples(model, text, { layer: 1, neuron: 5 }, 3);
    const windows = [0, size, 2 * size].map((first) => text.slice(first, first + size));
    const all: { index: number; activation: number }[] = [];
    for (const [number, window] of windows.entries()) {
      const activations = await activationsOf(model, window, { layer: 1, neuron: 5 });
      activations.forEach((activation, index) => {
        if (index > 0) all.push({ index: number * size + index, activation });
      });
    }
    all.sort((a, b) => b.activation - a.activation || a.index - b.index);
    const shown = (examples: typeof found.highest) => examples.map(({ index, activation }) => ({ index, activation }));
    expect(shown(found.highest)).toEqual(all.slice(0, 3));
    expect(shown(found.lowest)).toEqual(all.slice(-3).reverse());
    expect(found.mean).toBeCloseTo(all.reduce((sum, { activation }) => sum + activation, 0) / all.length, 5);
    expect(found.tokens).toBe(text.length);
  });

  it('says what of the text it did not read', async () => {
    const parameters = { neuron: '1.5', text: 'one two three four five six seven', tokens: 4 };
    const { data, warnings } = await toolOn(model, 'neurons', { ids: [3, 1, 4], parameters });
    expect((data as { text: { tokens: number } }).text.tokens).toBe(4);
    expect(warnings.map(({ code }) => code)).toContain('W_TEXT_SHORTENED');
  });
});

it.each([
  ['12.345', { layer: 12, neuron: 345 }],
  ['L12.N345', { layer: 12, neuron: 345 }],
  ['', null],
])('a neuron is named %j', (given, expected) => {
  expect(chosenNeuron('neurons', given, { layers: 30, neurons: 1536 })).toEqual(expected);
});
