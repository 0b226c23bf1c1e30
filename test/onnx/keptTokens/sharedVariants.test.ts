/** Variants that share their beginnings, against one whole pass each: every number of both, bit for bit. */
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { describe, expect, test, vi } from 'vitest';
import type { Model, RowRead, RowResult } from '../../../src/model/model.ts';
import { splitPoint } from '../../../src/onnx/keptTokens/sharedVariants.ts';
import { openOnnxModel } from '../../../src/onnx/openOnnxModel.ts';
import { modelFile, relativeError } from '../fixture.ts';

const sharing = [
  'gpt2_optimum_kv',
  'gpt2_ort_fused',
  'llama_genai_fp32',
  'llama_genai_int4',
  'llama_optimum_kv',
  'llama_q4_matmulnbits',
  'merged_decoder',
  'parallel_mha',
];
/** No keys and values, in 16 bits, and with activations rounded over all tokens. */
const whole = ['llama_torch_legacy', 'llama_fp16', 'llama_int8_dynamic'];

const open = (name: string) => openOnnxModel(modelFile(name), { threads: 1, contextLength: 64 });

/** Tokens below 128, which every fixture has. */
function tokensOf(length: number, change = -1): Int32Array {
  return Int32Array.from({ length }, (_, place) => 1 + ((place * 37 + (place === change ? 50 : 5)) % 120));
}

function variantsOf(): { readonly tokens: Int32Array; readonly read: RowRead[] }[] {
  const read = (position: number): RowRead => ({ position, ids: [0, 5, 40], top: 4, entropy: true });
  const prompt = tokensOf(24);
  const left = [3, 20, 11, 22, 23].map((out) => prompt.filter((_, place) => place !== out));
  const variants = [...left, prompt, tokensOf(24, 17), tokensOf(9), tokensOf(31), tokensOf(1), tokensOf(2), prompt];
  return [
    ...variants.map((tokens) => ({ tokens, read: [read(tokens.length - 1)] })),
    // A response: rows before the last, in no order and one of them twice.
    { tokens: tokensOf(26), read: [read(25), read(23), read(24), read(23)] },
    { tokens: tokensOf(12), read: [] },
  ];
}

function bits(rows: readonly RowResult[]): unknown {
  return rows.map(({ position, logSumExp, logits, ranks, top, entropy }) => [
    position,
    ...new Uint32Array(Float64Array.of(logSumExp, entropy!, ...top.map(({ logit }) => logit)).buffer),
    ...new Uint32Array(logits.slice().buffer),
    ...ranks,
    ...top.map(({ id }) => id),
  ]);
}

async function wholePasses(model: Model): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const variant of variantsOf()) found.push(bits((await model.forward(variant)).read));
  return found;
}

interface Runs {
  run(feeds: Readonly<Record<string, Tensor>>, outputs?: readonly string[]): Promise<Record<string, Tensor>>;
}

/** Tokens of each run while `work` runs. */
async function lengthsRun(work: () => Promise<unknown>): Promise<number[]> {
  const spy = vi.spyOn((InferenceSession as unknown as { readonly prototype: Runs }).prototype, 'run');
  try {
    await work();
    return spy.mock.calls.map(([feeds]) => feeds['input_ids']!.dims[1]!);
  } finally {
    spy.mockRestore();
  }
}

describe.each(sharing)('%s', (name) => {
  test('equal to whole passes, whatever ran before, and only what differs is computed', async () => {
    const model = await open(name);
    try {
      expect(model.info).toMatchObject({ sharesBeginnings: true, sharesPatchedBeginnings: false, holdsBeginnings: false });
      const expected = await wholePasses(model);
      const variants = variantsOf();
      const seen: [index: number, bits: unknown][] = [];
      const onResult = (index: number, { read }: { readonly read: readonly RowResult[] }) => seen.push([index, bits(read)]);
      const first = await model.forwardVariants({ variants }, { onResult });
      expect(first.map(({ read }) => bits(read))).toEqual(expected);
      expect(seen.sort(([one], [two]) => one - two)).toEqual([...expected.entries()]);
      await model.generate({ tokens: tokensOf(20), maxTokens: 3, temperature: 0, seed: 0, top: 0 });
      const again = await model.forwardVariants({ variants });
      expect(again).toEqual(first);

      const [prompt, changed] = [tokensOf(24), tokensOf(24, 17)];
      const read = [{ position: 23, ids: [1] }];
      const twice = { variants: [prompt, changed, prompt].map((tokens) => ({ tokens, read })) };
      // The prompt once, the rest behind the changed token; of the same again two tokens are left.
      expect((await lengthsRun(() => model.forwardVariants(twice))).sort((a, b) => a - b)).toEqual([2, 7, 24]);
    } finally {
      await model.dispose();
    }
  });

  test('near what the graph that was opened up says', async () => {
    const model = await open(name);
    try {
      const tokens = tokensOf(24);
      const plain = await model.forward({ tokens, logits: 'all' });
      const seen = await model.forward({ tokens, logits: 'all', capture: [{ site: { kind: 'resid_post', layer: 0 } }] });
      expect(relativeError(plain.logits!.values, seen.logits!.values)).toBeLessThan(1e-5);
    } finally {
      await model.dispose();
    }
  });

  test('patched variants are read whole, as one pass each on the opened graph', async () => {
    const model = await open(name);
    try {
      const tokens = tokensOf(12);
      const read = [{ position: 11, ids: [1, 2] }];
      const patches = [
        { site: { kind: 'resid_post' as const, layer: 0 }, positions: [10], operation: { kind: 'zero' as const } },
      ];
      const kept = [{ ...patches[0]!, operation: { kind: 'scale' as const, factor: 1 } }];
      const variants = [
        { tokens, read, patches },
        { tokens, read },
        { tokens, read, patches: kept },
      ];
      let results: readonly { readonly read: readonly RowResult[] }[] = [];
      const lengths = await lengthsRun(async () => {
        results = await model.forwardVariants({ variants });
      });
      expect(lengths).toEqual([12, 12, 12]);
      expect(results[1]!.read[0]!.logits).toEqual(results[2]!.read[0]!.logits);
      expect(results[0]!.read[0]!.logits).not.toEqual(results[2]!.read[0]!.logits);
    } finally {
      await model.dispose();
    }
  });
});

test.each(whole)('%s: every variant is read whole', async (name) => {
  const model = await open(name);
  try {
    expect(model.info.sharesBeginnings).toBe(false);
    const variants = [tokensOf(10), tokensOf(10, 8)].map((tokens) => ({ tokens, read: [{ position: 9, ids: [1] }] }));
    expect(await lengthsRun(() => model.forwardVariants({ variants }))).toEqual([10, 10]);
  } finally {
    await model.dispose();
  }
});

test('stops between two runs', async () => {
  const model = await open('llama_genai_fp32');
  try {
    const stop = new AbortController();
    const seen: number[] = [];
    const onResult = (index: number) => {
      seen.push(index);
      if (seen.length === 2) stop.abort();
    };
    const running = model.forwardVariants({ variants: variantsOf() }, { signal: stop.signal, onResult });
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(seen.length).toBe(2);
    await expect(model.forwardVariants({ variants: [{ tokens: tokensOf(70), read: [] }] })).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
    });
    await expect(
      model.forwardVariants({ variants: [{ tokens: tokensOf(5), read: [{ position: 5, ids: [] }] }] }),
    ).rejects.toMatchObject({ code: 'E_TOKEN_RANGE' });
    expect(await model.forwardVariants({ variants: [] })).toEqual([]);
  } finally {
    await model.dispose();
  }
});

test('where a variant leaves the one before it', () => {
  const cases: [last: number[], tokens: number[], positions: number[], split: number][] = [
    [[], [1, 2, 3], [2], 0],
    [[1, 2, 3, 4], [1, 2, 9, 4], [3], 2],
    [[1, 2, 3, 4], [1, 2, 3, 9], [3], 2],
    [[1, 2, 3, 4], [1, 2, 3, 4, 5], [2, 4], 2],
    [[1, 2, 3, 4], [1, 2, 3, 4], [3], 2],
    [[1, 2], [1], [0], 0],
    [[1, 2, 3], [1, 2, 3], [], 1],
  ];
  for (const [last, tokens, positions, split] of cases) {
    const read = positions.map((position) => ({ position, ids: [] }));
    expect(splitPoint(Int32Array.from(last), { tokens: Int32Array.from(tokens), read })).toBe(split);
  }
});
