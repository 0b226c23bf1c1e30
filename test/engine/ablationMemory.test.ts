import { expect, test } from 'vitest';
import { createAblationMemory } from '../../src/engine/ablationMemory.ts';
import { explain } from '../../src/engine/requests/explain.ts';
import type { RowResult } from '../../src/model/model.ts';
import type { ExplainRequest } from '../../src/shared/protocol/engine.ts';
import { createLinearModel } from '../attribution/linearModel.ts';
import { recordRequest } from './requests/requestRecorder.ts';

const rows = (count: number): RowResult[] =>
  Array.from({ length: count }, (_, position) => ({
    position,
    logSumExp: 0,
    logits: new Float32Array(1),
    ranks: new Int32Array(1),
    top: [],
  }));

test('what was used longest ago is forgotten first, by rows', () => {
  const memory = createAblationMemory(5);
  memory.set('a', rows(2));
  memory.set('b', rows(2));
  expect(memory.get('a')).toHaveLength(2);
  memory.set('c', rows(2));
  expect(memory.get('b')).toBeUndefined();
  expect([memory.get('a')?.length, memory.get('c')?.length]).toEqual([2, 2]);
  // The same key again takes the place of itself.
  memory.set('c', rows(3));
  expect([memory.get('a')?.length, memory.get('c')?.length]).toEqual([2, 3]);
  memory.set('d', rows(6));
  expect([memory.get('a'), memory.get('c'), memory.get('d')]).toEqual([undefined, undefined, undefined]);
});

const request = (target: ExplainRequest['target']): ExplainRequest => ({
  prompt: { text: 'The cat sat on the mat of Paris, the capital is', format: 'text', mode: 'raw' },
  method: 'sparse-surrogate',
  target,
  granularity: 'word',
  maxTokens: 4,
  seed: 1,
  progressive: false,
  faithfulness: false,
});

test('another span of the same response is explained without a new run', async () => {
  const model = createLinearModel();
  const memory = createAblationMemory(10_000);
  const run = (target: ExplainRequest['target']) => explain(recordRequest(model, undefined, memory), request(target));
  const first = await run({ kind: 'response' });
  expect(first.matrix?.rows).toEqual([0, 1, 2, 3]);
  expect(first.findings?.fit?.samples).toBe(64);
  const prompt = first.tokens.map((token) => token.id).join(' ');
  // What the target is worth on the whole prompt is no ablation.
  const ablations = () => model.calls.variants.filter((tokens) => !tokens.join(' ').startsWith(prompt)).length;
  const asked = ablations();
  expect(asked).toBeGreaterThan(30);
  const second = await run({ kind: 'span', from: 1, to: 2 });
  expect(ablations()).toBe(asked);
  expect(second.matrix?.rows).toEqual([0, 1, 2, 3]);
  const fresh = await explain(recordRequest(createLinearModel()), request({ kind: 'span', from: 1, to: 2 }));
  expect(second.scores).toEqual(fresh.scores);
});
