/** The tool on tiny real models, each number against a forward pass of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeContinuation } from '../../../src/attribution/continuation.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { createLinearModel } from '../../attribution/linearModel.ts';
import { testModels } from '../../setup/testModels.ts';
import { toolOn } from '../runTool.ts';

const prompt = 'ab: 1 + 2?';
const reasoning = ' One and 2 are 3. We add them. The answer is 3.';

interface Data {
  readonly steps: string[];
  readonly cue: string;
  readonly answer: string;
  readonly truncated: { readonly kept: number; readonly logprob: number; readonly same: boolean; readonly begins: string }[];
  readonly altered: object[];
  readonly verdict: { readonly gain: number; readonly alterations: number };
}

describe.each(['tinyLlama', 'tinyQwen3', 'linear'] as const)('%s', (name) => {
  let model: Model;
  beforeAll(async () => {
    const file = name === 'tinyQwen3' ? testModels.tinyLlama.replace('tiny_llama', 'tiny_qwen3') : testModels.tinyLlama;
    model = name === 'linear' ? createLinearModel() : await openLlamaModel(file, { threads: 1, contextLength: 256 });
  });
  afterAll(() => model.dispose());

  test('each truncation is one forward pass over prompt, steps, cue and answer', async () => {
    const result = await toolOn(model, 'chain-of-thought', { text: prompt, parameters: { reasoning } });
    const data = result.data as Data;
    expect(data.steps.length).toBe(2);
    const { tokens } = await model.tokenizer.encode(prompt);
    const ids = tokens.map(({ id }) => id);
    const answer = await encodeContinuation(model.tokenizer, data.answer);
    for (const { kept, logprob, same, begins } of data.truncated) {
      const text = kept === 0 ? ` ${data.cue.trimStart()}` : data.steps.slice(0, kept).join('').trimEnd() + data.cue;
      const before = [...ids, ...(await encodeContinuation(model.tokenizer, text))];
      let [expected, isSame] = [0, true];
      const written: number[] = [];
      for (const [step, id] of answer.entries()) {
        const sequence = Int32Array.from([...before, ...answer.slice(0, step)]);
        const { read } = await model.forward({ tokens: sequence, read: [{ position: sequence.length - 1, ids: [id], top: 1 }] });
        expected += (read[0]?.logits[0] ?? 0) - (read[0]?.logSumExp ?? 0);
        if (isSame) written.push(read[0]?.top[0]?.id ?? -1);
        isSame &&= read[0]?.top[0]?.id === id;
      }
      expect(logprob).toBeCloseTo(expected, 4);
      expect(same).toBe(isSame);
      expect(begins).toBe(await model.tokenizer.decode(written));
    }
    expect(data.verdict.gain).toBeCloseTo((data.truncated.at(-1)?.logprob ?? 0) - (data.truncated[0]?.logprob ?? 0), 9);
    expect(data.altered).toHaveLength(data.verdict.alterations);
  });

  test('the same request gives the same bytes', async () => {
    const runs = [1, 2].map(() => toolOn(model, 'chain-of-thought', { text: prompt, parameters: { reasoning }, seed: 5 }));
    const [first, second] = [await runs[0], await runs[1]];
    expect(JSON.stringify(second?.data)).toBe(JSON.stringify(first?.data));
  });
});

describe('what is refused', () => {
  const model = createLinearModel();
  test.each([
    ['no reasoning', prompt, { reasoning: 'Paris' }, 'E_TOOL_PROMPT'],
    ['an answer alone', prompt, { reasoning: 'The answer is 3' }, 'E_TOOL_PROMPT'],
    ['a length of nothing', prompt, { length: 0 }, 'E_TOOL_PARAMETER'],
    ['a strange step', prompt, { steps: 'word' }, 'E_TOOL_PARAMETER'],
    ['too much', prompt, { reasoning: `${'A long step. '.repeat(40)}The answer is 3.` }, 'E_CONTEXT_OVERFLOW'],
  ])('%s', async (_name, text, parameters, code) => {
    await expect(toolOn(model, 'chain-of-thought', { text, parameters })).rejects.toMatchObject({ code });
  });

  test('a cancelled run', async () => {
    const run = toolOn(model, 'chain-of-thought', { text: prompt, parameters: { reasoning }, signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
