import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LlamaContext } from '../../src/llama/evaluation/context.ts';
import { ContextPool } from '../../src/llama/evaluation/contextPool.ts';
import { Cancellation } from '../../src/model/runtime/cancellation.ts';
import { forwardVariants } from '../../src/llama/evaluation/variants.ts';
import { surveyGraph } from '../../src/llama/graph/graph.ts';
import { loadModel } from '../../src/llama/loadModel.ts';
import { loadLlamaLibrary } from '../../src/llama/native/library.ts';
import type { NativeModel } from '../../src/llama/native/nativeModel.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import { goldenCase, goldenFile } from './golden.ts';

const file = goldenFile('tiny_qwen3', 'model.gguf');
const tokens = Int32Array.from(goldenCase('tiny_qwen3').ids);
const last = tokens.length - 1;
const settings = { threads: 1, limit: 256, trainedLength: Number.POSITIVE_INFINITY, bytesPerToken: 1, memory: 1e12 };
let native: NativeModel;
let context: LlamaContext;

beforeAll(async () => {
  native = loadModel(await loadLlamaLibrary(), file, { shouldStop: () => false, onProgress: () => undefined });
  context = new LlamaContext(native, 256, 1);
});
afterAll(() => {
  context.free();
  context.free();
  native.functions.llama_model_free(native.model);
});
beforeEach(() => {
  context.shouldStop = () => false;
  context.clear();
});

function wholePass(): Float32Array {
  context.decode({ tokens, from: 0, outputs: [last] });
  return context.logits(last);
}

test('a run stops in the middle of the graph and leaves the context usable', () => {
  const expected = wholePass();
  let polls = 0;
  context.shouldStop = () => {
    polls++;
    return polls > 20;
  };
  expect(() => context.decode({ tokens, from: 0, outputs: [last] })).toThrow(/E_CANCELLED/);
  expect(polls).toBe(21);
  expect(context.length).toBe(0);
  context.shouldStop = () => false;
  expect(wholePass()).toEqual(expected);
});

test.each(['wants', 'ready'] as const)('what an observer throws in %s stops the run and comes out of it', (place) => {
  const expected = wholePass();
  const fail = () => {
    throw new Error('observer broke');
  };
  const observer = { wants: place === 'wants' ? fail : () => true, ready: place === 'ready' ? fail : () => undefined };
  expect(() => context.decode({ tokens, from: 0, outputs: [last], observer })).toThrow('observer broke');
  expect(wholePass()).toEqual(expected);
});

test('what the stop poll throws comes out too', () => {
  context.shouldStop = () => {
    throw new Error('poll broke');
  };
  expect(() => context.decode({ tokens, from: 0, outputs: [last] })).toThrow('poll broke');
});

test('observing every node changes no bit', () => {
  const nodes = surveyGraph(context, native.functions).length;
  const expected = wholePass();
  let seen = 0;
  context.decode({ tokens, from: 0, outputs: [last], observer: { wants: () => true, ready: () => void seen++ } });
  expect(seen).toBe(nodes);
  expect(context.logits(last)).toEqual(expected);
});

test('rows that were not asked for are not read', () => {
  wholePass();
  expect(() => context.logits(0)).toThrow(RangeError);
});

test('positions behind the cache are refused', () => {
  expect(() => context.decode({ tokens, from: 3, outputs: [last] })).toThrow(RangeError);
});

test('the graph is surveyed without computing it', () => {
  const nodes = surveyGraph(context, native.functions);
  expect(nodes.map(({ name }) => name)).toContain('kq_soft_max-0');
  expect(context.length).toBe(0);
});

test('a suffix behind a kept prefix is really reused', async () => {
  const contexts = new ContextPool(native, { ...settings, limit: 256 });
  const { info } = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  const evaluator = {
    info,
    native,
    contexts,
    sites: new Map(),
    prefixReuse: 'unknown' as const,
    restartPoints: [],
    layerReuse: 'unknown' as const,
  };
  const variants = [7, 8, 9].map((id) => ({
    tokens: Int32Array.from([...tokens, id]),
    read: [{ position: last + 1, ids: [1] }],
  }));
  await forwardVariants(evaluator, { variants }, new Cancellation(undefined, undefined), () => undefined);
  expect(evaluator.prefixReuse).toBe('exact');
  contexts.free();
});

test('contexts grow with need, never beyond the limit, and stay apart where rotary factors switch', () => {
  const pool = new ContextPool(native, { ...settings, limit: 1000, trainedLength: 512 });
  const small = pool.acquire(10);
  expect(small.capacity).toBe(256);
  expect(pool.acquire(256)).toBe(small);
  expect(pool.acquire(300).capacity).toBe(512);
  const long = pool.acquire(513);
  expect(long.capacity).toBe(1000);
  expect(pool.acquire(20)).not.toBe(long);
  expect(pool.acquire(20).capacity).toBe(256);
  pool.free();
  pool.free();
});

test('a cache that this machine cannot hold is refused before it is allocated', () => {
  const pool = new ContextPool(native, { ...settings, limit: 4096, bytesPerToken: 1e6, memory: 300e6 });
  expect(pool.acquire(256).capacity).toBe(256);
  expect(() => pool.acquire(300)).toThrow(/E_OUT_OF_MEMORY/);
  expect(pool.acquire(100).capacity).toBe(256);
  pool.free();
});
