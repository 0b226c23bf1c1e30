/** The tool on models too small to explain anything: what it says then, and what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calibrationOf } from '../../../src/analysis/selfExplanation/calibrationCases.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { createLinearModel } from '../../attribution/linearModel.ts';
import { testModels } from '../../setup/testModels.ts';
import { toolOn } from '../runTool.ts';

const prompt = 'the cat sat on the mat';
const template = 'Say: {prompt}';
const short = { template, length: 8, 'confidence-template': '{prompt} {response} sure?', 'answer-length': 4 };

interface Data {
  readonly question: string;
  readonly parsed: { readonly form: string };
  readonly words: { readonly word: string; readonly measured: number }[];
  readonly agreement: object | null;
  readonly calibration: {
    readonly cases: { readonly probability: number; readonly stated: number | null }[];
    readonly probability: { readonly count: number };
  } | null;
}

describe.each(['tinyLlama', 'linear'] as const)('%s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model =
      name === 'linear' ? createLinearModel() : await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());

  test('measured effects are leaving a word out, by two passes', async () => {
    const { data } = await toolOn(model, 'self-explanation', { text: prompt, parameters: short });
    const { words, parsed, question, agreement } = data as Data;
    expect(question).toBe(`Say: ${prompt}`);
    expect(words.map(({ word }) => word)).toEqual(['the', 'cat', 'sat', 'on', 'mat']);
    if (parsed.form === 'none') expect(agreement).toBeNull();
    const value = async (kept: (index: number) => boolean, id?: number) => {
      const { tokens } = await model.tokenizer.encode(prompt);
      const left = tokens.filter(({ start, end }) =>
        kept(prompt.slice(0, start).split(' ').length - 1 + Number(/^ \S/.test(prompt.slice(start, end)))),
      );
      const ids = Int32Array.from(left, (token) => token.id);
      const { read } = await model.forward({
        tokens: ids,
        read: [{ position: ids.length - 1, ids: id === undefined ? [] : [id], top: 1 }],
      });
      return { next: read[0]?.top[0]?.id ?? 0, logprob: (read[0]?.logits[0] ?? Number.NaN) - (read[0]?.logSumExp ?? 0) };
    };
    if (name !== 'linear') return;
    const { next } = await value(() => true);
    const whole = await value(() => true, next);
    const without = await value((word) => word !== 2, next);
    expect(words.find(({ word }) => word === 'sat')?.measured).toBeCloseTo(Math.abs(whole.logprob - without.logprob), 4);
  });

  test('over cases: a probability for each, the curve with its diagonal, and the same bytes again', async () => {
    const cases = ['the', 'cat', 'on'].map((word) => JSON.stringify({ prompt: `the cat ${word}`, answer: 'mat' })).join('\n');
    const first = await toolOn(model, 'self-explanation', { text: prompt, parameters: { ...short, cases } });
    const second = await toolOn(model, 'self-explanation', { text: prompt, parameters: { ...short, cases } });
    expect(JSON.stringify(second.data)).toBe(JSON.stringify(first.data));
    const { calibration } = first.data as Data;
    expect(calibration?.cases).toHaveLength(3);
    expect(calibration?.probability.count).toBe(3);
    for (const { probability } of calibration?.cases ?? []) {
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
    }
    expect(first.blocks.some((block) => block.kind === 'curve' && block.diagonal === true)).toBe(true);
    for (const block of first.blocks) {
      if (block.kind === 'table') for (const { cells } of block.rows) expect(cells).toHaveLength(block.columns.length);
    }
  });

  test('no explanation that can be read is said plainly', async () => {
    const { data, blocks } = await toolOn(model, 'self-explanation', { text: prompt, parameters: short });
    const isUnread = (data as Data).parsed.form === 'none';
    expect(JSON.stringify(blocks).includes('No explanation could be read')).toBe(isUnread);
  });
});

test('calibration of nothing is nothing', () => expect(calibrationOf([], 10)).toBeNull());

describe('what is refused', () => {
  const model = createLinearModel();
  test.each([
    ['a template without the prompt', { template: 'Say something' }, 'E_TOOL_PARAMETER'],
    ['an unknown method', { method: 'guess' }, 'E_TOOL_PARAMETER'],
    ['a method the model cannot run', { ...short, method: 'saliency' }, 'E_METHOD_UNSUPPORTED'],
    ['an empty file', { ...short, cases: ' \n' }, 'E_TOOL_PARAMETER'],
    ['a broken line', { ...short, cases: '{"prompt":"a","answer":"b"}\n{' }, 'E_CASES_INVALID'],
    ['a case without an answer', { ...short, cases: '{"prompt":"a"}' }, 'E_CASES_INVALID'],
    ['one bin', { bins: 1 }, 'E_TOOL_PARAMETER'],
  ])('%s', async (_name, parameters, code) => {
    await expect(toolOn(model, 'self-explanation', { text: prompt, parameters })).rejects.toMatchObject({ code });
  });
});
