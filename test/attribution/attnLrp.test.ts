/** Against relevances that `lxt` computed with PyTorch on the dequantised weights (test/fixtures/golden), and by closed forms. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attnLrp } from '../../src/attribution/propagation/attnLrp.ts';
import { chooseMethod } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import { bundledModel, goldenCase, goldenFile, relativeDifference } from '../llama/golden.ts';
import { inputFor } from './attributionInput.ts';
import { createSmoothModel } from './smoothModel.ts';

type Measure = 'logit' | 'logprob';
interface FaithfulnessPrompt {
  readonly text: string;
  readonly target: string;
  /** Word units: all but the last word. */
  readonly U: number;
  readonly scores: Readonly<Record<`attnlrp_${Measure}`, number[]>>;
}

const read = <T>(...parts: string[]): T => JSON.parse(readFileSync(goldenFile(...parts), 'utf8')) as T;
const prompts = read<FaithfulnessPrompt[]>('faithfulness', 'attnlrp.json');

describe('the bundled model, dequantised', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
  });
  afterAll(() => model.dispose());
  const parameters = { precision: 'dequantised' };
  // Both sides are in single precision; a log-probability is the small difference of large logits.
  const tolerances = { logit: 1e-4, logprob: 1e-2 } as const;
  const measures = ['logit', 'logprob'] as const;

  describe.each(['fact', 'ioi', 'chat', 'code', 'fewshot', 'rag', 'zh'])('%s', (name) => {
    const golden = read<Record<Measure, { relevance: number[]; sum: number }>>(name, 'attnlrp.json');
    test.each(measures)('%s, every token', async (score) => {
      const { ids, target_ids: targets } = goldenCase(name);
      const input = await inputFor(model, { ids, spec: { kind: 'id', id: targets[0] ?? 0 }, score, parameters });
      const { scores, precision } = await attnLrp.attribute(input);
      expect(precision).toBe('dequantised');
      expect(relativeDifference(scores, golden[score].relevance)).toBeLessThan(tolerances[score]);
    });
  });

  test.each(prompts.map((prompt) => [prompt.text.slice(0, 30), prompt] as const))('%s…, every word', async (_, prompt) => {
    const { text, target, U, scores: golden } = prompt;
    const { tokens } = await model.tokenizer.encode(text, { addSpecial: false });
    const groups = wordsOf(text, tokens).slice(0, U);
    for (const score of measures) {
      const input = await inputFor(model, { text, groups, spec: { kind: 'text', text: target }, score, parameters });
      const { scores } = await attnLrp.attribute(input);
      expect(relativeDifference(scores, golden[`attnlrp_${score}`])).toBeLessThan(tolerances[score]);
    }
  });
});

/** Tokens of each whitespace word: that of a token's last character that is no space; a token of spaces goes to the next word. */
function wordsOf(text: string, tokens: readonly { readonly start: number; readonly end: number }[]): number[][] {
  const words = [...text.matchAll(/\S+/g)].map(({ index }) => ({ start: index, tokens: [] as number[] }));
  tokens.forEach(({ start, end }, token) => {
    const spelled = text.slice(start, end).trimEnd();
    const isSpace = spelled === '';
    const at = start + spelled.length - 1;
    const word = isSpace
      ? words.find((candidate) => candidate.start >= end)
      : words.findLast((candidate) => candidate.start <= at);
    word?.tokens.push(token);
  });
  return words.map((word) => word.tokens);
}

describe('the method', () => {
  const smooth = createSmoothModel();

  test('runs only after the user agreed', () => {
    expect(() => chooseMethod({ method: 'attn-lrp' }, smooth)).toThrow(/E_METHOD_OPT_IN.*patent/);
    expect(chooseMethod({ method: 'attn-lrp', agreed: ['attn-lrp'] }, smooth).method).toBe(attnLrp);
  });

  test('asks for its rules once, at the embeddings', async () => {
    const input = await inputFor(smooth, { text: 'The cat sat', parameters: { precision: 'as-served' } });
    const { forwardPasses } = await attnLrp.attribute(input);
    expect(smooth.gradients).toMatchObject([{ rules: 'relevance', at: [{ kind: 'embed' }], precision: 'as-served' }]);
    expect(forwardPasses).toBe(2);
  });

  test('cancelled', async () => {
    const input = await inputFor(smooth, { text: 'The cat sat' });
    await expect(attnLrp.attribute(input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
