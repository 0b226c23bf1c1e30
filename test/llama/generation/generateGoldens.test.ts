import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GenerateRequest, Model } from '../../../src/model/model.ts';
import { writeNanModel } from '../gguf/nanModel.ts';

const root = join(import.meta.dirname, '../../..');
const golden = join(root, 'test/fixtures/golden');
const folder = await mkdtemp(join(tmpdir(), 'loupe-generate-'));
const models: Model[] = [];
afterAll(async () => {
  for (const model of models) await model.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function open(file: string): Promise<Model> {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  models.push(model);
  return model;
}

async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(golden, ...path), 'utf8')) as T;
}

const greedy: Omit<GenerateRequest, 'tokens'> = { maxTokens: 12, temperature: 0, seed: 0, top: 3 };

describe('bundled model', async () => {
  const model = await open(join(root, 'models/SmolLM2-135M-Instruct.Q4_1.gguf'));

  test.each(['fact', 'ioi', 'fewshot', 'code', 'zh'])('the first token of %s is that of PyTorch', async (name) => {
    const { ids } = await readJson<{ ids: number[] }>(name, 'meta.json');
    const next = await readJson<{ top50_ids: number[]; top50_logprobs: number[] }>(name, 'next.json');
    const { tokens } = await model.generate({ ...greedy, tokens: Int32Array.from(ids), maxTokens: 1, top: 5 });
    const token = tokens[0];
    expect(token?.id).toBe(next.top50_ids[0]);
    expect(token?.alternatives[0]).toEqual({ id: token?.id, text: token?.text, logprob: token?.logprob });
    for (const { id, logprob } of token?.alternatives ?? []) {
      const place = next.top50_ids.indexOf(id);
      expect(place).toBeGreaterThanOrEqual(0);
      // Logits of the quantised file differ by up to 1.15 from its weights in fp32 (golden/README.md), times 1.3.
      expect(Math.abs(logprob - (next.top50_logprobs[place] ?? 0))).toBeLessThan(1.5);
    }
  });

  test('the chat stops by itself and streams what it returns', async () => {
    const { ids } = await readJson<{ ids: number[] }>('chat', 'meta.json');
    const streamed: string[] = [];
    const result = await model.generate(
      { ...greedy, tokens: Int32Array.from(ids), maxTokens: 80 },
      { onToken: ({ text }) => streamed.push(text) },
    );
    expect(result.finish).toBe('stop');
    expect(streamed.join('')).toBe(result.text);
    expect(result.text.toLowerCase()).toContain('paint');
  });
});

describe('tiny_llama', async () => {
  const model = await open(join(golden, 'tiny_llama/model.gguf'));
  const { ids } = await readJson<{ ids: number[] }>('tiny_llama', 'meta.json');
  const prompt = Int32Array.from(ids);

  test('greedy generation is the repeated argmax of whole passes', async () => {
    const { tokens } = await model.generate({ ...greedy, tokens: prompt });
    const sequence = [...ids];
    for (const token of tokens) {
      const position = sequence.length - 1;
      const { read } = await model.forward({ tokens: Int32Array.from(sequence), read: [{ position, ids: [token.id], top: 1 }] });
      const row = read[0];
      expect(row?.top[0]?.id).toBe(token.id);
      expect(token.logprob).toBeCloseTo((row?.logits[0] ?? 0) - (row?.logSumExp ?? 0), 4);
      sequence.push(token.id);
    }
  });

  test('a seed fixes a sampled response, whatever ran before', async () => {
    const sample = async (seed: number) => {
      const { tokens } = await model.generate({ ...greedy, tokens: prompt, temperature: 1.5, seed });
      return JSON.stringify(tokens);
    };
    const first = await sample(1);
    expect(await sample(2)).not.toBe(first);
    expect(await sample(1)).toBe(first);
  });

  test('a full context ends the response', async () => {
    const short = await openLlamaModel(join(golden, 'tiny_llama/model.gguf'), { threads: 1, contextLength: ids.length + 3 });
    models.push(short);
    const { tokens, finish } = await short.generate({ ...greedy, tokens: prompt, maxTokens: 50 });
    expect(finish).toBe('context');
    expect(tokens).toHaveLength(4);
    await expect(short.generate({ ...greedy, tokens: Int32Array.from([...ids, ...ids]), maxTokens: 1 })).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
    });
  });
});

test('a model with a NaN weight is reported, not sampled from', async () => {
  const model = await open(await writeNanModel(folder));
  const failure = model.generate({ ...greedy, tokens: Int32Array.of(84, 257, 32) });
  await expect(failure).rejects.toMatchObject({ code: 'E_NUMERIC' });
});
