/** Models that answer with one row about the whole text: a classifier with classes, a sentence encoder with a similarity. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateText } from '../../src/engine/requests/generate.ts';
import { explain } from '../../src/engine/requests/explain.ts';
import { logprobs } from '../../src/engine/requests/logprobs.ts';
import type { Model } from '../../src/model/model.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import type { ExplainRequest } from '../../src/shared/protocol/engine.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { recordRequest } from '../engine/requests/requestRecorder.ts';
import { writeAnswerModels } from './answerModels.ts';

let folder: string;
let classifier: Model;
let encoder: Model;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-answers-'));
  const files = await writeAnswerModels(folder);
  classifier = await openOnnxModel(files.classifier, { threads: 1, contextLength: 0 });
  encoder = await openOnnxModel(files.encoder, { threads: 1, contextLength: 0 });
});
afterAll(async () => {
  await classifier.dispose();
  await encoder.dispose();
  rmSync(folder, { recursive: true });
});

const text = 'the quick brown fox was not happy';
const asked = (target: TargetSpec, method = 'saliency'): ExplainRequest => ({
  prompt: { text, format: 'text', mode: 'raw' },
  method,
  target,
  granularity: 'word',
  maxTokens: 8,
  seed: 1,
  progressive: false,
  faithfulness: false,
});

describe('a classifier', () => {
  test('answers with its most likely class, and explains it', async () => {
    const result = await explain(recordRequest(classifier), asked({ kind: 'next' }));
    const [token] = result.response.tokens;
    expect(result.target).toMatchObject({ kind: 'class', label: token?.text, unit: 'nat' });
    expect(['negative', 'neutral', 'positive']).toContain(token?.text);
    expect(token?.alternatives.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 5);
    expect(result.target.value).toBeCloseTo(token?.logprob ?? 0, 5);
    expect(result.scores.some((score) => score > 0)).toBe(true);
  });

  test('a class by its name, whatever its case; two classes against each other', async () => {
    const one = await explain(recordRequest(classifier), asked({ kind: 'class', name: ' Positive' }));
    expect(one.target).toMatchObject({ kind: 'class', label: 'positive', ids: [2] });
    const two = await explain(recordRequest(classifier), asked({ kind: 'contrast', a: 'positive', b: 'negative' }, 'occlusion'));
    expect(two.target).toMatchObject({ label: 'positive rather than negative', ids: [2, 0], unit: 'logit' });
  });

  // Integrated gradients add up to the difference to their baseline: the path crosses the whole encoder.
  test('integrated gradients are complete', async () => {
    const request = {
      ...asked({ kind: 'class', name: 'positive' }, 'integrated-gradients'),
      parameters: { steps: 64, maxSteps: 64 },
    };
    const { completeness } = await explain(recordRequest(classifier), request);
    expect(Math.abs((completeness?.sum ?? 0) - (completeness?.expected ?? 1))).toBeLessThan(0.02);
  });

  test('DeepLIFT adds up where the classes are written; AttnLRP runs after agreement', async () => {
    const lift = await explain(recordRequest(classifier), asked({ kind: 'class', name: 'positive' }, 'deeplift'));
    expect(lift.completeness?.share ?? 1).toBeLessThan(1e-3);
    const relevance = { ...asked({ kind: 'class', name: 'positive' }, 'attn-lrp'), agreed: ['attn-lrp'] };
    const { scores } = await explain(recordRequest(classifier), relevance);
    expect(scores.some((score) => score !== 0) && scores.every(Number.isFinite)).toBe(true);
  });

  test.each<[TargetSpec, RegExp]>([
    [{ kind: 'class', name: 'angry' }, /E_CLASS_UNKNOWN.*negative, neutral, positive/],
    [{ kind: 'id', id: 3 }, /there is no output 3/],
    [{ kind: 'similarity', text: 'a fox' }, /E_OUTPUT_KIND.*no sentence encoder/],
  ])('refuses %j', async (target, message) => {
    await expect(explain(recordRequest(classifier), asked(target))).rejects.toThrow(message);
  });

  test('has no log-probabilities of tokens', async () => {
    await expect(logprobs(recordRequest(classifier), { prompt: asked({ kind: 'next' }).prompt, top: 3 })).rejects.toMatchObject({
      code: 'E_OUTPUT_KIND',
    });
  });
});

describe('a sentence encoder', () => {
  test('writes nothing, and says so', async () => {
    const request = { prompt: asked({ kind: 'next' }).prompt, maxTokens: 2, temperature: 0, seed: 0, top: 1 };
    await expect(generateText(recordRequest(encoder), request)).rejects.toMatchObject({ code: 'E_OUTPUT_KIND' });
  });

  const similar: TargetSpec = { kind: 'similarity', text: 'a happy fox' };

  test('a text is as similar to itself as can be', async () => {
    const same = await explain(recordRequest(encoder), asked({ kind: 'similarity', text }));
    expect(same.target).toMatchObject({ kind: 'similarity', unit: 'cosine', value: expect.closeTo(1, 5) as number });
  });

  test('the gradient of a similarity is its slope', async () => {
    const { tokens } = await encoder.tokenizer.encode(text);
    const ids = Int32Array.from(tokens, ({ id }) => id);
    const other = Int32Array.from((await encoder.tokenizer.encode('a happy fox')).tokens, ({ id }) => id);
    const weights = (await encoder.forward({ tokens: other, logits: 'last' })).logits!.values;
    expect(Math.hypot(...weights)).toBeCloseTo(1, 5);
    const embed = { kind: 'embed' as const };
    const { captured } = await encoder.forward({ tokens: ids, capture: [{ site: embed }] });
    const target = { kind: 'linear' as const, rows: [{ position: 0, weights }] };
    const { targets } = await encoder.gradient({ tokens: ids, targets: [target], at: [embed] });
    const gradient = targets[0]!.gradients.get('embed')!.data;
    const embeddings = captured.get('embed')!.data;
    const value = async (by: number) => {
      const moved = embeddings.map((number, index) => number + by * gradient[index]!);
      const { read } = await encoder.forward({ tokens: ids, embeddings: moved, read: [{ position: 0, ids: [], weights }] });
      return read[0]!.weighted!;
    };
    const step = 0.01;
    const slope = ((await value(step)) - (await value(-step))) / (2 * step);
    expect(slope / gradient.reduce((sum, number) => sum + number * number, 0)).toBeCloseTo(1, 2);
  });

  test('DeepLIFT adds up through the length of the embedding', async () => {
    const { completeness } = await explain(recordRequest(encoder), asked(similar, 'deeplift'));
    expect(completeness?.share ?? 1).toBeLessThan(1e-3);
  });

  test('tells how far it has come, as the editor asks it to', async () => {
    const request = recordRequest(encoder);
    const { target } = await explain(request, { ...asked(similar, 'occlusion'), progressive: true, faithfulness: 'cheap' });
    const labels = request.partials.map(({ stage, explanation }) => [stage, explanation.target.label]);
    expect(labels[0]).toEqual(['attention', target.label]);
    expect(labels.slice(1)).toEqual(labels.slice(1).map(() => ['units', target.label]));
    expect(labels.length).toBeGreaterThan(2);
  });

  test('explains a similarity, and nothing else', async () => {
    const { response, scores } = await explain(recordRequest(encoder), asked(similar, 'occlusion'));
    expect(response.tokens).toEqual([]);
    expect(scores.some((score) => score !== 0)).toBe(true);
    await expect(explain(recordRequest(encoder), asked({ kind: 'next' }))).rejects.toThrow(/E_OUTPUT_KIND.*similarity:TEXT/);
  });
});
