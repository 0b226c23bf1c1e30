import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { ForwardRequest, Model, Patch } from '../../src/model/model.ts';
import { type LayerSite, layerSites } from '../../src/model/sites.ts';
import { goldenCase, goldenFile, maximumDifference } from './golden.ts';

const flag = new Int32Array(new SharedArrayBuffer(4));
const tokens = Int32Array.from(goldenCase('tiny_llama').ids);
const T = tokens.length;
let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 64, cancelFlag: flag });
});
afterAll(() => model.dispose());

test('several prompts one after another give the same bytes as each alone', async () => {
  const requests: ForwardRequest[] = [
    { tokens, logits: 'all', capture: [{ site: { kind: 'z', layer: 1 } }] },
    { tokens: tokens.slice(0, 3), logits: 'last' },
    {
      tokens: tokens.slice(5, 20),
      logits: [0, 7],
      patches: [{ site: { kind: 'v', layer: 0 }, operation: { kind: 'scale', factor: 1e6 } }],
    },
    { tokens: tokens.slice().reverse(), logits: 'all' },
  ];
  const alone = [];
  for (const request of requests) {
    const fresh = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 64 });
    alone.push(await fresh.forward(request));
    await fresh.dispose();
  }
  const together = [];
  for (const request of [...requests, ...requests]) together.push(await model.forward(request));
  expect(together).toEqual([...alone, ...alone]);
});

test('reads equal the rows of logits', async () => {
  const { logits, read } = await model.forward({
    tokens,
    logits: [4, 2],
    read: [
      { position: 2, ids: [10, 3], top: 4 },
      { position: T - 1, ids: [] },
    ],
  });
  const row = logits?.values.subarray(267) ?? new Float32Array();
  expect(logits?.positions).toEqual([4, 2]);
  const [first] = read;
  expect([...(first?.logits ?? [])]).toEqual([row[10], row[3]]);
  const sorted = [...row.keys()].sort((a, b) => (row[b] as number) - (row[a] as number));
  expect(first?.top.map(({ id }) => id)).toEqual(sorted.slice(0, 4));
  expect([...(first?.ranks ?? [])]).toEqual([sorted.indexOf(10) + 1, sorted.indexOf(3) + 1]);
  expect(first?.logSumExp).toBeCloseTo(Math.log([...row].reduce((sum, value) => sum + Math.exp(value), 0)), 5);
});

test('every site has the documented shape, and the parts add up', async () => {
  const layer = 2;
  const { captured } = await model.forward({
    tokens,
    capture: [
      ...layerSites.map((kind) => ({ site: { kind, layer } })),
      { site: { kind: 'embed' } },
      { site: { kind: 'final_norm' } },
      { site: { kind: 'logits' } },
    ],
  });
  const shape = (name: string) => captured.get(name)?.shape;
  const of = (kind: LayerSite) => captured.get(`${kind}.${layer}`)?.data ?? new Float32Array();
  const expected = {
    resid_pre: [T, 64],
    q: [T, 4, 16],
    k: [T, 2, 16],
    v: [T, 2, 16],
    scores: [4, T, T],
    pattern: [4, T, T],
    z: [T, 4, 16],
    attn_out: [T, 64],
    resid_mid: [T, 64],
    mlp_post: [T, 128],
    mlp_out: [T, 64],
    resid_post: [T, 64],
  };
  expect(Object.fromEntries(layerSites.map((kind) => [kind, shape(`${kind}.${layer}`)]))).toEqual(expected);
  expect([shape('embed'), shape('final_norm'), shape('logits')]).toEqual([
    [T, 64],
    [T, 64],
    [T, 267],
  ]);
  const sum = (a: Float32Array, b: Float32Array) => a.map((value, index) => value + (b[index] as number));
  expect(of('resid_mid')).toEqual(sum(of('attn_out'), of('resid_pre')));
  expect(of('resid_post')).toEqual(sum(of('mlp_out'), of('resid_mid')));
  const [q, k, v, scores, pattern, z] = [of('q'), of('k'), of('v'), of('scores'), of('pattern'), of('z')];
  for (const [head, query] of [
    [0, 0],
    [1, 7],
    [3, T - 1],
  ] as const) {
    const keyHead = head >> 1;
    const row = (head * T + query) * T;
    let total = 0;
    const attended = new Float64Array(16);
    for (let key = 0; key < T; key++) {
      let product = 0;
      for (let index = 0; index < 16; index++)
        product += (q[(query * 4 + head) * 16 + index] as number) * (k[(key * 2 + keyHead) * 16 + index] as number);
      if (key > query) expect(scores[row + key]).toBe(Number.NEGATIVE_INFINITY);
      else expect(scores[row + key]).toBeCloseTo(product / 4, 4);
      total += Math.exp(scores[row + key] as number);
      for (let index = 0; index < 16; index++)
        attended[index] =
          (attended[index] as number) + (pattern[row + key] as number) * (v[(key * 2 + keyHead) * 16 + index] as number);
    }
    for (let key = 0; key < T; key++) expect(pattern[row + key]).toBeCloseTo(Math.exp(scores[row + key] as number) / total, 5);
    expect(maximumDifference(attended, z.subarray((query * 4 + head) * 16, (query * 4 + head + 1) * 16))).toBeLessThan(1e-5);
  }
});

test('reduced patterns are reductions of the whole pattern', async () => {
  const site = { kind: 'pattern', layer: 1 } as const;
  const pattern = async (reduce?: Parameters<Model['forward']>[0]['capture']) =>
    (await model.forward({ tokens, capture: reduce ?? [{ site }] })).captured.get('pattern.1');
  const whole = (await pattern())?.data ?? new Float32Array();
  const mean = await pattern([{ site, reduce: { kind: 'head-mean' } }]);
  const head = await pattern([{ site, reduce: { kind: 'head', head: 2 } }]);
  const small = await pattern([{ site, reduce: { kind: 'thumbnail', size: 5 } }]);
  const large = await pattern([{ site, reduce: { kind: 'thumbnail', size: 500 } }]);
  expect(mean?.shape).toEqual([T, T]);
  expect(head).toEqual({ shape: [T, T], data: whole.slice(2 * T * T, 3 * T * T) });
  expect(large).toEqual({ shape: [4, T, T], data: whole });
  expect(small?.shape).toEqual([4, 5, 5]);
  for (let cell = 0; cell < T * T; cell++) {
    const average = [0, 1, 2, 3].reduce((sum, h) => sum + (whole[h * T * T + cell] as number), 0) / 4;
    expect(mean?.data[cell]).toBeCloseTo(average, 6);
  }
  const block = (index: number) => Math.floor((index * 5) / T);
  const maxima = new Float32Array(100);
  for (let h = 0; h < 4; h++)
    for (let query = 0; query < T; query++)
      for (let key = 0; key < T; key++) {
        const place = (h * 5 + block(query)) * 5 + block(key);
        maxima[place] = Math.max(maxima[place] as number, whole[(h * T + query) * T + key] as number);
      }
  expect(small?.data).toEqual(maxima);
});

const everySite: LayerSite[] = [...layerSites];

test.each(everySite)('overwriting %s with its own values changes nothing, and other values do', async (kind) => {
  for (const layer of [0, 2]) {
    const site = { kind, layer };
    const first = await model.forward({ tokens, logits: 'all', capture: [{ site }] });
    const values = first.captured.get(`${kind}.${layer}`)?.data ?? new Float32Array();
    const run = async (patch: Omit<Patch, 'site'>) =>
      (await model.forward({ tokens, logits: 'all', capture: [{ site }], patches: [{ site, ...patch }] })).logits?.values ??
      new Float32Array();
    const same = await run({ operation: { kind: 'overwrite', values } });
    expect(maximumDifference(same, first.logits?.values ?? [])).toBeLessThanOrEqual(kind === 'scores' ? 1e-5 : 0);
    expect(maximumDifference(await run({ operation: { kind: 'scale', factor: 1 } }), first.logits?.values ?? [])).toBe(0);
    const zeroed = await run({ operation: { kind: 'zero' }, positions: [0, 3] });
    expect(maximumDifference(zeroed, first.logits?.values ?? [])).toBeGreaterThan(1e-3);
  }
});

test('input embeddings stand for the tokens', async () => {
  const { captured, logits } = await model.forward({ tokens, logits: 'last', capture: [{ site: { kind: 'embed' } }] });
  const embeddings = captured.get('embed')?.data ?? new Float32Array();
  const other = await model.forward({ tokens: new Int32Array(T), embeddings, logits: 'last' });
  expect(other.logits).toEqual(logits);
});

test('patches of one site add up in order, and a capture sees the result', async () => {
  const site = { kind: 'resid_post', layer: 1 } as const;
  const width = 64;
  const { captured } = await model.forward({
    tokens,
    capture: [{ site: { kind: 'resid_pre', layer: 2 } }],
    patches: [
      { site, positions: [2], operation: { kind: 'overwrite', values: new Float32Array(width).fill(2) } },
      { site, positions: [2], operation: { kind: 'add', values: new Float32Array(width).fill(3) } },
      { site, positions: [2], operation: { kind: 'scale', factor: 0.5 } },
    ],
  });
  expect(captured.get('resid_pre.2')?.data.slice(2 * width, 3 * width)).toEqual(new Float32Array(width).fill(2.5));
});

test('a NaN is reported by the first site that held it, and the next run is clean', async () => {
  const clean = await model.forward({ tokens, logits: 'all' });
  const patches: Patch[] = [{ site: { kind: 'z', layer: 1 }, positions: [4], operation: { kind: 'scale', factor: Number.NaN } }];
  const broken = await model.forward({ tokens, logits: 'last', patches });
  expect(broken.nonFinite).toBe('z.1');
  const infinite = await model.forward({
    tokens,
    logits: 'last',
    patches: [{ site: { kind: 'mlp_out', layer: 0 }, operation: { kind: 'scale', factor: Number.POSITIVE_INFINITY } }],
  });
  expect(infinite.nonFinite).toBe('mlp_out.0');
  expect(await model.forward({ tokens, logits: 'all' })).toEqual(clean);
});

const refused: [string, ForwardRequest, string][] = [
  ['no tokens', { tokens: new Int32Array(0) }, 'E_TOKEN_RANGE'],
  ['a token beyond the vocabulary', { tokens: Int32Array.of(267) }, 'E_TOKEN_RANGE'],
  ['a negative token', { tokens: Int32Array.of(-1) }, 'E_TOKEN_RANGE'],
  ['65 tokens in a context of 64', { tokens: new Int32Array(65) }, 'E_CONTEXT_OVERFLOW'],
  ['a row beyond the sequence', { tokens, logits: [T] }, 'E_TOKEN_RANGE'],
  ['a read beyond the sequence', { tokens, read: [{ position: -1, ids: [] }] }, 'E_TOKEN_RANGE'],
  ['a read of an unknown id', { tokens, read: [{ position: 0, ids: [267] }] }, 'E_TOKEN_RANGE'],
  ['an unknown site', { tokens, capture: [{ site: { kind: 'nonsense' as 'z', layer: 0 } }] }, 'E_SITE_UNKNOWN'],
  ['a layer site without a layer', { tokens, capture: [{ site: { kind: 'z' } }] }, 'E_SITE_UNKNOWN'],
  ['a global site with a layer', { tokens, capture: [{ site: { kind: 'embed', layer: 0 } }] }, 'E_SITE_UNKNOWN'],
  ['a layer too high', { tokens, capture: [{ site: { kind: 'z', layer: 3 } }] }, 'E_LAYER_RANGE'],
  ['a layer that is no number', { tokens, capture: [{ site: { kind: 'z', layer: Number.NaN } }] }, 'E_LAYER_RANGE'],
  [
    'a head too high',
    { tokens, capture: [{ site: { kind: 'pattern', layer: 0 }, reduce: { kind: 'head', head: 4 } }] },
    'E_HEAD_RANGE',
  ],
  [
    'a reduction of something else',
    { tokens, capture: [{ site: { kind: 'z', layer: 0 }, reduce: { kind: 'head-mean' } }] },
    'E_SITE_UNKNOWN',
  ],
  [
    'a patched head too high',
    { tokens, patches: [{ site: { kind: 'z', layer: 0 }, heads: [4], operation: { kind: 'zero' } }] },
    'E_HEAD_RANGE',
  ],
  [
    'a patched head of a key',
    { tokens, patches: [{ site: { kind: 'k', layer: 0 }, heads: [2], operation: { kind: 'zero' } }] },
    'E_HEAD_RANGE',
  ],
  [
    'heads of a site without',
    { tokens, patches: [{ site: { kind: 'mlp_out', layer: 0 }, heads: [0], operation: { kind: 'zero' } }] },
    'E_SITE_UNKNOWN',
  ],
  [
    'a patched position too high',
    { tokens, patches: [{ site: { kind: 'z', layer: 0 }, positions: [T], operation: { kind: 'zero' } }] },
    'E_TOKEN_RANGE',
  ],
  [
    'values that do not fit',
    { tokens, patches: [{ site: { kind: 'z', layer: 0 }, operation: { kind: 'add', values: new Float32Array(3) } }] },
    'E_PATCH_SHAPE',
  ],
  ['embeddings that do not fit', { tokens, embeddings: new Float32Array(3) }, 'E_PATCH_SHAPE'],
];

test.each(refused)('%s is refused, and nothing is lost', async (_, request, code) => {
  await expect(model.forward(request)).rejects.toMatchObject({ code });
  expect((await model.forward({ tokens, logits: 'last' })).nonFinite).toBeNull();
});

test('an overflow tells both numbers', async () => {
  await expect(model.forward({ tokens: new Int32Array(65) })).rejects.toMatchObject({
    parts: { details: { promptTokens: 65, contextTokens: 64 } },
  });
});

test('the shared flag stops a run, and the context stays usable', async () => {
  const before = await model.forward({ tokens, logits: 'all' });
  Atomics.store(flag, 0, 1);
  await expect(model.forward({ tokens })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  await expect(model.forwardVariants({ variants: [{ tokens, read: [] }] })).rejects.toMatchObject({ code: 'E_CANCELLED' });
  Atomics.store(flag, 0, 0);
  expect(await model.forward({ tokens, logits: 'all' })).toEqual(before);
});

test('a signal stops variants between two of them', async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const variants = Array.from({ length: 20 }, (_, index) => ({
    tokens: tokens.slice(index % 5),
    read: [{ position: 0, ids: [] }],
  }));
  const run = model.forwardVariants(
    { variants },
    {
      signal: controller.signal,
      onResult: (index) => {
        seen.push(index);
        if (seen.length === 3) controller.abort();
      },
    },
  );
  await expect(run).rejects.toMatchObject({ code: 'E_CANCELLED' });
  expect(seen.length).toBe(3);
  await expect(model.forward({ tokens }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'E_CANCELLED' });
});
