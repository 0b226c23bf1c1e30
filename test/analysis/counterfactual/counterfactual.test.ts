/** The tool on real tiny models, against exhaustive search with one forward pass a prompt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embeddingGradient, predictedFall, relativeEmbeddings } from '../../../src/analysis/counterfactual/firstOrder.ts';
import { keptPerWord, vocabularySubstitutes } from '../../../src/analysis/counterfactual/vocabularySubstitutes.ts';
import { isSubstitute, wordCores } from '../../../src/analysis/counterfactual/wordEdits.ts';
import { authorWords } from '../../../src/analysis/words/authorWords.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { createLinearModel } from '../../attribution/linearModel.ts';
import { testModels } from '../../setup/testModels.ts';
import { toolOn } from '../runTool.ts';

interface Data {
  readonly found: boolean;
  readonly margin: number;
  readonly exhaustive: boolean;
  readonly order: string;
  readonly tried: number;
  readonly answer: { readonly id: number };
  readonly flips: readonly {
    readonly edits: readonly { readonly start: number; readonly end: number; readonly was: string; readonly text: string }[];
    readonly margin: number;
    readonly minimal: boolean;
    readonly answer: { readonly id: number };
  }[];
}

const prompt = 'one red cat sat on two old mats';

/** The most likely next token, by a pass of its own. */
async function answerOf(model: Model, text: string): Promise<number> {
  const { tokens } = await model.tokenizer.encode(text);
  const ids = Int32Array.from(tokens, ({ id }) => id);
  const { read } = await model.forward({ tokens: ids, read: [{ position: ids.length - 1, ids: [], top: 1 }] });
  return read[0]?.top[0]?.id ?? -1;
}

/** All texts without `count` of the words, and which words. */
function withoutWords(text: string, count: number): { readonly gone: number[]; readonly text: string }[] {
  const words = text.split(' ');
  return Array.from({ length: 2 ** words.length }, (_, bits) =>
    words.map((_word, index) => index).filter((index) => (bits >> index) & 1),
  )
    .filter((gone) => gone.length === count)
    .map((gone) => ({ gone, text: words.filter((_word, index) => !gone.includes(index)).join(' ') }));
}

describe.each(['tinyLlama', 'tinyQwen2', 'linear'] as const)('%s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = name === 'linear' ? createLinearModel() : await openLlamaModel(testModels[name], { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());

  test.each([prompt, 'a b c d e', 'the dog is on the mat'])(
    'the smallest deletion of %j is that of exhaustive search',
    async (text) => {
      const result = await toolOn(model, 'counterfactual', {
        text,
        parameters: {
          mode: 'deletion',
          budget: 2000,
          'max-edits': 2,
          'max-strain': 1000,
        },
      });
      const data = result.data as Data;
      const before = await answerOf(model, text);
      expect(data.answer.id).toBe(before);
      const expected: string[] = [];
      for (const size of [1, 2]) {
        for (const shorter of withoutWords(text, size)) {
          if ((await answerOf(model, shorter.text)) !== before) expected.push(shorter.text);
        }
        if (expected.length > 0) break;
      }
      expect(data.found).toBe(expected.length > 0);
      expect(data.exhaustive).toBe(true);
      expect(data.flips.length).toBe(Math.min(3, expected.length));
      for (const { edits, minimal } of data.flips) {
        const edited = edits.reduceRight(
          (rest, { start, end, text: other }) => rest.slice(0, start) + other + rest.slice(end),
          text,
        );
        expect(expected).toContain(edited.trim());
        expect(minimal).toBe(true);
      }
    },
  );

  test('the same request gives the same bytes, and every block can be drawn', async () => {
    const parameters = { budget: 40, 'max-edits': 2 };
    const first = await toolOn(model, 'counterfactual', { text: prompt, parameters });
    const second = await toolOn(model, 'counterfactual', { text: prompt, parameters });
    expect(JSON.stringify(second.data)).toBe(JSON.stringify(first.data));
    expect((first.data as Data).tried).toBeLessThanOrEqual(40 + 6);
    expect((first.data as Data).order).toBe(name === 'linear' ? 'none' : 'gradient');
    for (const block of first.blocks) {
      if (block.kind === 'table') for (const { cells } of block.rows) expect(cells).toHaveLength(block.columns.length);
      if (block.kind === 'edit') for (const { start, end } of block.edits) expect(start).toBeLessThan(end);
    }
  });

  test('a contrast flips its sign', async () => {
    const { data } = await toolOn(model, 'counterfactual', {
      text: prompt,
      parameters: { mode: 'deletion', 'max-strain': 1000, 'max-edits': 2 },
      target: { kind: 'contrast', a: 'a', b: 'b' },
    });
    for (const { margin } of (data as Data).flips) expect(margin).toBeLessThan(0);
    expect((data as Data).margin).toBeGreaterThanOrEqual(0);
  });
});

describe('first-order estimates', () => {
  test.each(['tinyLlama', 'tinyQwen2'] as const)('%s: the slope along the way to another embedding', async (name) => {
    const model = await openLlamaModel(testModels[name], { threads: 1, contextLength: 256 });
    const signal = new AbortController().signal;
    const { tokens } = await model.tokenizer.encode(prompt);
    const ids = Int32Array.from(tokens, ({ id }) => id);
    const last = ids.length - 1;
    const terms = [
      { position: last, id: 5, weight: 1 },
      { position: last, id: 9, weight: -1 },
    ];
    const slope = await embeddingGradient(model, ids, { kind: 'logit', terms }, signal);
    const { captured } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'embed' } }] });
    const here = captured.get('embed')?.data as Float32Array;
    const of = await relativeEmbeddings(model, [...ids, 40, 41], signal);
    const margin = async (embeddings: Float32Array) => {
      const { read } = await model.forward({ tokens: ids, embeddings, read: [{ position: last, ids: [5, 9] }] });
      return (read[0]?.logits[0] ?? 0) - (read[0]?.logits[1] ?? 0);
    };
    for (const [place, other] of [
      [3, 40],
      [5, 41],
    ] as const) {
      const core = { word: 0, start: 0, end: 0, tokens: [place], hasSpace: false };
      const predicted = predictedFall(slope, core, ids, other, of);
      const way = (share: number) => {
        const moved = here.slice();
        const width = model.info.hidden;
        for (let at = 0; at < width; at++) {
          const step = (of.get(other)?.[at] ?? 0) - (of.get(ids[place] as number)?.[at] ?? 0);
          moved[place * width + at] = (moved[place * width + at] as number) + share * step;
        }
        return moved;
      };
      const share = 1e-2;
      const slopeByDifference = ((await margin(way(-share))) - (await margin(way(share)))) / (2 * share);
      expect(predicted).toBeCloseTo(slopeByDifference, 2);
    }
    await model.dispose();
  });
});

test('embeddings of positions cancel: GPT-2 adds them before the first block', async () => {
  const model = await openLlamaModel(testModels.tinyLlama.replace('tiny_llama', 'tiny_gpt2'), { threads: 1, contextLength: 64 });
  const signal = new AbortController().signal;
  const one = await relativeEmbeddings(model, [5, 40, 41, 7], signal);
  const other = await relativeEmbeddings(model, [5, 7, 41, 40], signal);
  for (const id of [7, 40, 41]) {
    for (const [at, value] of (one.get(id) ?? []).entries()) expect(value).toBeCloseTo(other.get(id)?.[at] ?? Number.NaN, 5);
  }
  expect(one.get(40)?.some((value) => Math.abs(value) > 1e-3)).toBe(true);
  expect(one.get(5)?.every((value) => value === 0)).toBe(true);
  await model.dispose();
});

describe('candidates from the whole vocabulary', () => {
  const text = 'the red cat sat on two old mats';
  test.each([
    ['tiny_llama', 256],
    ['tiny_gpt2', 64],
  ] as const)('%s: for each word those of the largest estimate, by brute force', async (name, contextLength) => {
    const file = testModels.tinyLlama.replace('tiny_llama', name);
    // A short context makes blocks of the vocabulary.
    const model = await openLlamaModel(file, { threads: 1, contextLength });
    const { signal } = new AbortController();
    const { tokens } = await model.tokenizer.encode(text);
    const ids = Int32Array.from(tokens, ({ id }) => id);
    const terms = [{ position: ids.length - 1, id: 5, weight: 1 }];
    const slope = await embeddingGradient(model, ids, { kind: 'logit', terms }, signal);
    const words = authorWords({ text, tokens, ids, sections: [], templateRanges: [] });
    const cores = wordCores(text, tokens, words);
    const { substitutes, scored } = await vocabularySubstitutes(model, ids, text, cores, slope, signal);
    const all = Array.from({ length: model.info.vocabulary }, (_, id) => id);
    const pieces = await model.tokenizer.pieces(all);
    // Embeddings one by one, each at the first position of a pass of its own.
    const embedded: Float32Array[] = [];
    for (const id of all) {
      const { captured } = await model.forward({ tokens: Int32Array.of(id), capture: [{ site: { kind: 'embed' } }] });
      embedded.push(captured.get('embed')?.data as Float32Array);
    }
    let expectedScored = 0;
    for (const core of cores) {
      const [first = 0, ...others] = core.tokens;
      const now = embedded[ids[first] as number] as Float32Array;
      const row = slope.gradient.data.subarray(first * now.length, (first + 1) * now.length);
      const estimates = all
        .filter((id) => isSubstitute(pieces[id] ?? '', text.slice(core.start, core.end), core.hasSpace))
        .map((id) => {
          const change = row.reduce((sum, g, at) => sum + g * ((embedded[id]?.[at] ?? 0) - (now[at] as number)), 0);
          return { id, fall: others.reduce((sum, token) => sum + (slope.contributions[token] ?? 0), -change) };
        })
        .sort((a, b) => b.fall - a.fall);
      expectedScored += estimates.length;
      const own = substitutes.filter((found) => found.core === core);
      expect(own.map(({ id }) => id)).toEqual(estimates.slice(0, keptPerWord).map(({ id }) => id));
      for (const [index, { predicted }] of own.entries()) expect(predicted).toBeCloseTo(estimates[index]?.fall ?? 0, 4);
    }
    expect(substitutes.length).toBeGreaterThan(keptPerWord);
    expect(scored).toBe(expectedScored);
    await model.dispose();
  });

  test('every candidate that is tried is verified; without gradients it is refused', async () => {
    const model = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 256 });
    const parameters = { mode: 'substitution', candidates: 'vocabulary', 'max-strain': 1000, 'max-edits': 1, budget: 500 };
    const { data } = await toolOn(model, 'counterfactual', { text, parameters });
    const { flips, answer, order } = data as Data;
    expect(order).toBe('gradient');
    expect(flips.length).toBeGreaterThan(0);
    for (const { edits } of flips) {
      const [edit] = edits;
      const edited = text.slice(0, edit?.start) + (edit?.text ?? '') + text.slice(edit?.end);
      expect(await answerOf(model, edited)).not.toBe(answer.id);
    }
    await model.dispose();
    const refused = toolOn(createLinearModel(), 'counterfactual', { text, parameters });
    await expect(refused).rejects.toMatchObject({ code: 'E_METHOD_UNSUPPORTED' });
  });
});

test('in a conversation only the author’s words are edited', async () => {
  const { data, promptText } = await toolOn(createLinearModel(), 'counterfactual', {
    text: prompt,
    mode: 'chat',
    parameters: { budget: 60, 'max-edits': 2 },
  });
  const start = promptText.indexOf(prompt);
  expect(start).toBeGreaterThan(0);
  const edits = (data as Data & { readonly nearest: Data['flips'] }).nearest.flatMap((trial) => trial.edits);
  expect(edits.length).toBeGreaterThan(0);
  for (const edit of edits) {
    expect(edit.start).toBeGreaterThanOrEqual(start);
    expect(edit.end).toBeLessThanOrEqual(start + prompt.length);
  }
});

describe('what is refused', () => {
  const model = createLinearModel();
  test.each([
    ['a', { mode: 'deletion' }, 'E_TOOL_PROMPT'],
    [prompt, { mode: 'none' }, 'E_TOOL_PARAMETER'],
    [prompt, { budget: 0 }, 'E_TOOL_PARAMETER'],
    [prompt, { 'max-edits': 1.5 }, 'E_TOOL_PARAMETER'],
    [prompt, { depth: 1 }, 'E_TOOL_PARAMETER'],
    ['', {}, 'E_PROMPT_EMPTY'],
  ])('%j with %j', async (text, parameters, code) => {
    await expect(toolOn(model, 'counterfactual', { text, parameters })).rejects.toMatchObject({ code });
  });

  test('the answer that is given already', async () => {
    const [piece = ''] = await model.tokenizer.pieces([await answerOf(model, prompt)]);
    await expect(toolOn(model, 'counterfactual', { text: prompt, parameters: { goal: piece } })).rejects.toMatchObject({
      code: 'E_TOOL_PARAMETER',
    });
  });

  test('a NaN, and a run that is cancelled', async () => {
    const sick = createLinearModel({ poison: 3 });
    await expect(toolOn(sick, 'counterfactual', { text: 'the cat\nsat' })).rejects.toMatchObject({ code: 'E_NUMERIC' });
    const cancelled = toolOn(model, 'counterfactual', { text: prompt, signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
