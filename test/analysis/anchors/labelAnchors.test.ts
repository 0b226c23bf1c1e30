/** The tool and its what-ifs on a tiny real model. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anchorPlaces } from '../../../src/analysis/anchors/anchorPlaces.ts';
import { findFewShot } from '../../../src/analysis/anchors/fewShot.ts';
import { fittingRuns } from '../../../src/analysis/anchors/fitLabelWeights.ts';
import { classSlopes, steppedWeights, weightSlopes } from '../../../src/analysis/anchors/fittedWeights.ts';
import { classProbabilities, weightedClasses, weightedHeads, whatIfs } from '../../../src/analysis/anchors/whatIfs.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../../src/model/model.ts';
import { createLinearModel } from '../../attribution/linearModel.ts';
import { testModels } from '../../setup/testModels.ts';
import { toolOn } from '../runTool.ts';

const prompt = 'in: ab\nout: x\nin: cd\nout: y\nin: ef\nout:';

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 256 });
});
afterAll(() => model.dispose());

async function read(text: string) {
  const { tokens } = await model.tokenizer.encode(text);
  const ids = Int32Array.from(tokens, ({ id }) => id);
  const whole = { text, tokens, ids, sections: [], templateRanges: [] };
  const places = anchorPlaces(whole, findFewShot(whole, { labels: [], prefix: '' }));
  return { tokens, ids, places };
}

test('places: labels, their texts, what is kept', async () => {
  const { tokens, places } = await read(prompt);
  const text = (indices: readonly number[]) => indices.map((index) => tokens[index]?.text).join('');
  expect(places.labels.map((label) => tokens[label]?.text.trim())).toEqual(['x', 'y']);
  expect(text(places.rest)).toContain('ab');
  expect(text(places.rest)).not.toContain('out');
  expect(text(places.anchors)).toContain('out');
  expect(places.rest.every((index) => index > 0 && index < places.questionStart)).toBe(true);
  expect(text(tokens.map((_token, index) => index).slice(places.questionStart))).toBe('\nin: ef\nout:');
});

describe('what-ifs', () => {
  async function patternUnder(patches: readonly Patch[], ids: Int32Array, layer = 0) {
    const site = { kind: 'pattern', layer } as const;
    const { captured } = await model.forward({ tokens: ids, capture: [{ site }], patches });
    return captured.get(`pattern.${layer}`)?.data as Float32Array;
  }

  test('a weight multiplies the attention to the labels before it is shared out again', async () => {
    const { ids, places } = await read(prompt);
    const size = ids.length;
    const plain = await patternUnder([], ids);
    for (const weight of [0, 0.5, 4]) {
      const change = whatIfs(places, model.info, 1)
        .find(({ id }) => id === `weight-${weight}`)
        ?.change(ids);
      const found = await patternUnder(change?.patches ?? [], ids);
      for (let head = 0; head < model.info.heads; head++) {
        const from = (head * size + size - 1) * size;
        const expected = Array.from(plain.slice(from, from + size), (value, key) =>
          places.labels.includes(key) ? weight * value : value,
        );
        const sum = expected.reduce((total, value) => total + value, 0);
        expected.forEach((value, key) => expect(found[from + key]).toBeCloseTo(value / sum, 5));
        // Other queries are untouched.
        const other = (head * size + size - 2) * size;
        expect(found.slice(other, other + size)).toEqual(plain.slice(other, other + size));
      }
    }
  });

  test('with anchors alone the question sees nothing else of the examples, in every layer', async () => {
    const { ids, places } = await read(prompt);
    const size = ids.length;
    const change = whatIfs(places, model.info, 1).find(({ id }) => id === 'anchors');
    for (let layer = 0; layer < model.info.layers; layer++) {
      const found = await patternUnder(change?.change(ids).patches ?? [], ids, layer);
      for (let row = 0; row < model.info.heads * size; row++) {
        if (row % size < places.questionStart) continue;
        for (const key of places.rest) expect(found[row * size + key]).toBe(0);
      }
    }
    expect(change?.saved).toBe(places.rest.length);
  });

  test('the shortened prompt is one forward pass over what is left', async () => {
    const { ids, places } = await read(prompt);
    const change = whatIfs(places, model.info, 1)
      .find(({ id }) => id === 'text')
      ?.change(ids);
    const left = ids.filter((_id, index) => !places.rest.includes(index));
    const [probabilities = []] = await classProbabilities(
      model,
      [change ?? { ids, patches: [] }],
      [10, 20],
      new AbortController().signal,
    );
    const { read: rows } = await model.forward({ tokens: left, read: [{ position: left.length - 1, ids: [10, 20] }] });
    const [a = 0, b = 0] = rows[0]?.logits ?? [];
    expect(probabilities[0]).toBeCloseTo(1 / (1 + Math.exp(b - a)), 6);
    expect((probabilities[0] ?? 0) + (probabilities[1] ?? 0)).toBeCloseTo(1, 12);
  });
});

describe('fitted weights', () => {
  test('the slope is the difference quotient of the log-probability of the right label', async () => {
    const { ids, places } = await read(prompt);
    const classIds = [10, 20];
    const signal = new AbortController().signal;
    const probabilityOf = async (weights: readonly number[]) => {
      const change = weightedClasses(places, model.info, weights).change(ids);
      return (await classProbabilities(model, [change], classIds, signal))[0] ?? [];
    };
    const probabilities = await probabilityOf([1, 1]);
    for (const label of [0, 1]) {
      const found = await weightSlopes(model, { places, classIds }, ids, { label, probabilities }, signal);
      const slopes = classSlopes(found, 2);
      for (const name of [0, 1]) {
        const step = 0.05;
        const at = async (beta: number) =>
          Math.log((await probabilityOf([0, 1].map((other) => (other === name ? Math.exp(beta) : 1))))[label] ?? 0);
        expect(slopes[name]).toBeCloseTo(((await at(step)) - (await at(-step))) / (2 * step), 3);
      }
    }
  });

  test('the slope of one head is the difference quotient with that head alone weighted', async () => {
    const { ids, places } = await read(prompt);
    const classIds = [10, 20];
    const { signal } = new AbortController();
    const { layers, heads } = model.info;
    const logOf = async (weights: Float64Array) => {
      const change = weightedHeads(places, model.info, weights).change(ids);
      return Math.log((await classProbabilities(model, [change], classIds, signal))[0]?.[1] ?? 0);
    };
    const none = new Float64Array(layers * heads * 2).fill(1);
    const probabilities =
      (await classProbabilities(model, [weightedHeads(places, model.info, none).change(ids)], classIds, signal))[0] ?? [];
    const slopes = await weightSlopes(model, { places, classIds }, ids, { label: 1, probabilities }, signal);
    expect(slopes).toHaveLength(none.length);
    const step = 0.2;
    for (const at of [0, 3, heads * 2 + 1, none.length - 1]) {
      const moved = (beta: number) => none.map((one, other) => (other === at ? Math.exp(beta) : one));
      const quotient = ((await logOf(moved(step))) - (await logOf(moved(-step)))) / (2 * step);
      expect(Math.abs((slopes[at] as number) - quotient)).toBeLessThan(1e-4 + 0.02 * Math.abs(quotient));
    }
    // The same weight for all heads is the weight of the class.
    const both = Float64Array.from(none, (_, at) => [2, 0.5][at % 2] as number);
    const byClass = weightedClasses(places, model.info, [2, 0.5]).change(ids);
    expect(weightedHeads(places, model.info, both).change(ids).patches).toEqual(byClass.patches);
  });

  test('the steepest slope ends at the step, against it where it is negative', () => {
    expect([...steppedWeights(Float64Array.of(1, -4, 0, 2), 2)]).toEqual([2 ** 0.5, 2 ** -2, 1, 2]);
    expect([...steppedWeights(new Float64Array(2), 2)]).toEqual([1, 1]);
  });

  test('half of the cases are fitted, the others measured; too few are not fitted', async () => {
    const many = Array.from({ length: 9 }, (_, index) =>
      JSON.stringify({ text: 'abcdefghi'.slice(index), label: index % 2 === 0 ? 'x' : 'y' }),
    );
    const { data } = await toolOn(model, 'label-anchors', { text: prompt, parameters: { cases: many.join('\n') } });
    interface Fitted {
      readonly weights: number[];
      readonly heads: {
        readonly step: number;
        readonly strongest: { readonly weight: number }[];
        readonly outcome: { readonly id: string };
      };
      readonly fittedOn: number;
      readonly measuredOn: number;
    }
    const { fitted } = (data as { cases: { fitted: Fitted } }).cases;
    expect(fitted.heads.outcome.id).toBe('fitted-heads');
    expect(Math.abs(Math.log2(fitted.heads.strongest[0]?.weight ?? 0))).toBeCloseTo(fitted.heads.step, 9);
    expect([fitted.fittedOn, fitted.measuredOn]).toEqual([5, 4]);
    expect(Math.max(...fitted.weights.map((weight) => Math.abs(Math.log2(weight))))).toBeCloseTo(1, 9);
    // Both halves have all labels, whatever their order; a label of one case alone is only fitted.
    const runs = ['xxxxyyyy', 'xyxyxyxy', 'xxxxxxxy'].map((order) =>
      fittingRuns([...order].map((name) => ({ label: 'xy'.indexOf(name) }))),
    );
    expect(runs.map((run) => run?.gradients)).toEqual([4, 4, 5]);
    expect(fittingRuns(Array.from({ length: 8 }, (_, label) => ({ label })))).toBeNull();
    const few = await toolOn(model, 'label-anchors', { text: prompt, parameters: { cases: many.slice(0, 7).join('\n') } });
    expect((few.data as { cases: { fitted: unknown } }).cases.fitted).toBeNull();
  });
});

const cases = [
  ['gh', 'x'],
  ['ij', 'Y'],
  ['kl', 'y'],
]
  .map(([text, label]) => JSON.stringify({ text, label }))
  .join('\n');

test('the whole tool, twice the same', async () => {
  const first = await toolOn(model, 'label-anchors', { text: prompt, parameters: { cases } });
  const second = await toolOn(model, 'label-anchors', { text: prompt, parameters: { cases } });
  expect(JSON.stringify(second.data)).toBe(JSON.stringify(first.data));
  const data = first.data as {
    readonly layers: object[];
    readonly whatIfs: { readonly id: string }[];
    readonly cases: { readonly cases: number; readonly counts: number[][]; readonly accuracy: number };
  };
  expect(data.layers).toHaveLength(model.info.layers);
  expect(data.whatIfs.map(({ id }) => id)).toEqual([
    'weight-0',
    'weight-0.5',
    'weight-2',
    'weight-4',
    'anchors',
    'random',
    'text',
  ]);
  expect(data.cases.counts.map((row) => row.reduce((sum, count) => sum + count, 0))).toEqual([1, 2]);
  for (const block of first.blocks) {
    if (block.kind === 'table') for (const { cells } of block.rows) expect(cells).toHaveLength(block.columns.length);
  }
});

test('without cases it says what they would add; more cases than are run is a warning', async () => {
  const { blocks } = await toolOn(model, 'label-anchors', { text: prompt });
  expect(JSON.stringify(blocks)).toContain('--cases');
  const { warnings } = await toolOn(model, 'label-anchors', { text: prompt, parameters: { cases, 'max-cases': 2 } });
  expect(warnings.map(({ code }) => code)).toContain('W_CASES_LEFT');
});

test('labels that begin with the same token are not told apart, and it says so', async () => {
  const { warnings, data } = await toolOn(model, 'label-anchors', { text: 'in: ab\nout: xa\nin: cd\nout: xb\nin: ef\nout:' });
  const alike = warnings.some(({ code }) => code === 'W_LABELS_ALIKE');
  expect(alike).toBe((data as { probabilities: number[] }).probabilities.length === 0);
});

test.each([
  ['a', {}, 'E_TOOL_PROMPT'],
  [prompt, { cases: '{"text":"a","label":"z"}' }, 'E_CASES_INVALID'],
  [prompt, { cases: '{"text":"a","label":"x"}\nno' }, 'E_CASES_INVALID'],
  [prompt, { cases: '\n' }, 'E_TOOL_PARAMETER'],
  [prompt, { labels: 'z' }, 'E_TOOL_PARAMETER'],
  [prompt, { layer: 99 }, 'E_LAYER_RANGE'],
])('%j with %j is refused', async (text, parameters, code) => {
  await expect(toolOn(model, 'label-anchors', { text, parameters })).rejects.toMatchObject({ code });
});

test('a model without gradients cannot run it', async () => {
  await expect(toolOn(createLinearModel(), 'label-anchors', { text: prompt })).rejects.toMatchObject({
    code: 'E_TOOL_UNSUPPORTED',
  });
});
