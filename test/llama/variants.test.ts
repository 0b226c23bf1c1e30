import { expect, test, vi } from 'vitest';
import { LlamaContext } from '../../src/llama/evaluation/context.ts';
import { splitPoint } from '../../src/llama/evaluation/variants.ts';
import { prefixOrder } from '../../src/model/prefixOrder.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import { copyModel, type fileTypes } from './float32Copy.ts';
import { bundledModel, goldenCase, goldenFile } from './golden.ts';

const models = ['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'];
const types: (keyof typeof fileTypes)[] = ['F32', 'F16', 'Q8_0'];

test.each(models.flatMap((name) => types.map((type) => [name, type] as const)))(
  '%s as %s: variants equal single forward passes, bit for bit',
  async (name, type) => {
    const copy = await copyModel(goldenFile(name, 'model.gguf'), type);
    const model = await openLlamaModel(copy.file, { threads: 1, contextLength: 0 });
    try {
      const tokens = goldenCase(name).ids;
      const last = tokens.length - 1;
      const drops = tokens.map((_, dropped) => tokens.filter((_, index) => index !== dropped));
      const swaps = tokens.map((_, swapped) => tokens.map((id, index) => (index === swapped ? 5 : id)));
      const variants = [
        ...drops.map((ids) => ({ tokens: Int32Array.from(ids), read: [{ position: last - 1, ids: [7, 9], top: 3 }] })),
        ...swaps.map((ids) => ({
          tokens: Int32Array.from(ids),
          read: [
            { position: last, ids: [7] },
            { position: last - 4, ids: [1, 2, 3] },
          ],
        })),
        { tokens: Int32Array.from(tokens), read: [{ position: last, ids: [0] }] },
        { tokens: Int32Array.from(tokens), read: [{ position: 0, ids: [0] }] },
        { tokens: Int32Array.of(3), read: [{ position: 0, ids: [0] }] },
      ];
      const order: number[] = [];
      const results = await model.forwardVariants({ variants }, { onResult: (index) => order.push(index) });
      expect([...order].sort((a, b) => a - b)).toEqual(variants.map((_, index) => index));
      for (const [index, variant] of variants.entries()) {
        expect(results[index]?.read).toEqual((await model.forward(variant)).read);
      }
    } finally {
      await model.dispose();
      copy.remove();
    }
  },
);

const files = [...models.map((name) => [name, goldenFile(name, 'model.gguf')] as const), ['fact', bundledModel] as const];

test.each(files)('%s in %s: a prompt that was just read is not read again, and no bit differs', async (name, file) => {
  const model = await openLlamaModel(file, { threads: 1, contextLength: 256 });
  try {
    const tokens = Int32Array.from(goldenCase(name).ids);
    const last = tokens.length - 1;
    const variants = [3, 2, 1].map((fromEnd) => ({
      tokens: tokens.filter((_, index) => index !== tokens.length - 1 - fromEnd),
      read: [{ position: last - 1, ids: [7, 9], top: 3 }],
    }));
    const alone = [];
    for (const variant of variants) alone.push((await model.forward(variant)).read);
    // Finds out once whether reuse is exact; that takes an evaluation more.
    await model.forwardVariants({ variants });
    const decode = vi.spyOn(LlamaContext.prototype, 'decode');
    const before: [what: string, read: () => Promise<unknown>, isHeld: boolean][] = [
      ['a forward pass', () => model.forward({ tokens }), true],
      ['one with captures', () => model.forward({ tokens, capture: [{ site: { kind: 'pattern', layer: 0 } }] }), true],
      ['a generation', () => model.generate({ tokens, maxTokens: 4, temperature: 0, seed: 1, top: 0 }), true],
      [
        'a patched pass',
        () => model.forward({ tokens, patches: [{ site: { kind: 'embed' }, operation: { kind: 'zero' } }] }),
        false,
      ],
      ['another prompt', () => model.forward({ tokens: tokens.toReversed() }), false],
    ];
    for (const [what, read, isHeld] of before) {
      await read();
      decode.mockClear();
      const results = await model.forwardVariants({ variants });
      expect(
        results.map((result) => result.read),
        what,
      ).toEqual(alone);
      const evaluated = decode.mock.calls.map(([request]) => request.tokens.length);
      // From the end upwards, each behind what the prompt left: 1, 2 and 3 tokens, and at most as many as kernels ask for besides.
      if (isHeld) expect(evaluated, what).toEqual([1, 2, 3].map((suffix) => suffixFrom(last - suffix, last)));
      else expect(evaluated[0], what).toBe(last);
    }
  } finally {
    await model.dispose();
  }
});

/** Tokens that are evaluated of a variant of `length` tokens that shares `shared` with what is held. */
function suffixFrom(shared: number, length: number): number {
  const split = Math.min(shared, length - 2);
  return length - (split - (split % 2));
}

test('sequences are visited so that neighbours share the most', () => {
  const variants = [[1, 2, 3], [9], [1, 2], [1, 3, 3], [1, 2, 3]].map((ids) => ({ tokens: Int32Array.from(ids) }));
  expect(prefixOrder(variants.map(({ tokens }) => tokens))).toEqual([2, 0, 4, 3, 1]);
  // Behind 1 2 3 4 first those that share most of it.
  expect(
    prefixOrder(
      variants.map(({ tokens }) => tokens),
      Int32Array.of(1, 2, 3, 4),
    ),
  ).toEqual([0, 4, 2, 3, 1]);
});

test.each([
  { shared: 8, read: 9, length: 10, expected: 8 },
  { shared: 7, read: 9, length: 10, expected: 6 },
  { shared: 10, read: 9, length: 10, expected: 8 },
  { shared: 10, read: 3, length: 10, expected: 2 },
  { shared: 1, read: 9, length: 10, expected: 0 },
  { shared: 0, read: 9, length: 10, expected: 0 },
  { shared: 1, read: 0, length: 1, expected: 0 },
])(
  'a suffix starts at $expected when $shared tokens are shared and row $read of $length is read',
  ({ shared, read, length, expected }) => {
    const tokens = Int32Array.from({ length }, (_, index) => index + 100);
    const cached = tokens.slice(0, shared);
    expect(splitPoint(cached, { tokens, read: [{ position: read, ids: [] }] })).toBe(expected);
  },
);
