/** Every form of a fused operator gives what ONNX Runtime computes for it, opened up. */
import { expect, test } from 'vitest';
import { operatorKey } from '../../../src/onnx/graph/graph.ts';
import { float } from '../../../src/onnx/graph/graphBuilder.ts';
import { lowerGraph } from '../../../src/onnx/lowering/lowerGraph.ts';
import { relativeError } from '../fixture.ts';
import { type Constant, oneNode, runGraph } from '../oneNode.ts';

type Attributes = Parameters<typeof oneNode>[3];
type Case = readonly [
  what: string,
  op: string,
  inputs: readonly (Constant | null)[],
  attributes: Attributes,
  outputs?: readonly string[],
  opset?: number,
];
const random = (...dims: readonly number[]): Constant => ({ random: dims });
const microsoft = 'com.microsoft:';

const tokens = 6;
const [heads, kvHeads, size] = [4, 2, 16];
const lengths: Constant = { int32: [tokens - 1], dims: [1] };
const total: Constant = { int32: [tokens], dims: [] };
const tables = [random(16, size / 2), random(16, size / 2)];
const separate = [
  random(1, tokens, heads * size),
  random(1, tokens, kvHeads * size),
  random(1, tokens, kvHeads * size),
  null,
  null,
  lengths,
  total,
];
const packed = [random(1, tokens, (heads + 2 * kvHeads) * size), null, null, null, null, lengths, total];
const grouped = { num_heads: heads, kv_num_heads: kvHeads };
const reversed: Constant = { int64: [5, 4, 3, 2, 1, 0], dims: [1, tokens] };
const q3 = random(1, tokens, heads * size);
const q4 = random(1, heads, tokens, size);
const kv3 = random(1, tokens, kvHeads * size);
const kv4 = random(1, kvHeads, tokens, size);
const lower = Array.from({ length: tokens * tokens }, (_, i) => (i % tokens <= Math.floor(i / tokens) ? 1 : 0));

const whole = (count: number) => Array.from({ length: count }, (_, i) => i);
const width = heads * size;
/** x, weights, bias, scale of x, scale of the weights; sums of so few bits do not overflow on any processor. */
const quantised: readonly Constant[] = [
  { uint8: whole(tokens * width).map((i) => (i * 89) % 251), dims: [1, tokens, width] },
  { int8: whole(3 * width * width).map((i) => ((i * 37) % 121) - 60), dims: [width, 3 * width] },
  random(3 * width),
  { float: [0.01], dims: [] },
  { float: [0.004], dims: [] },
];
const zero: Constant = { uint8: [128], dims: [] };

const one = (value: number) => ({ float: [value], dims: [] });
const zeroPoint = (value: number) => ({ uint8: [value], dims: [] });
/** [2, 3] · [3, 2] */
const eightBitLeft = [{ uint8: [1, 200, 30, 4, 50, 160], dims: [2, 3] }, one(0.02), zeroPoint(100)] as const;
const eightBit = [
  ...eightBitLeft,
  { int8: [-7, 2, 100, -120, 5, 60], dims: [3, 2] },
  one(0.01),
  { int8: [3], dims: [] },
] as const;
const eightBitTurned = [...eightBitLeft, { int8: [-7, 100, 5, 2, -120, 60], dims: [2, 3] }] as const;
const columns = { float: [0.01, 0.03], dims: [2] };
const columnZeros = { int8: [3, -2], dims: [2] };
const wholeBias = { int32: [500, -700], dims: [2] };
const rounding = [one(0.05), zeroPoint(128)] as const;

const cases: Case[] = [
  ['separate', `${microsoft}GroupQueryAttention`, separate, grouped],
  ['packed', `${microsoft}GroupQueryAttention`, packed, grouped],
  ['rotary', `${microsoft}GroupQueryAttention`, [...separate, ...tables], { ...grouped, do_rotary: 1 }],
  [
    'rotary, interleaved',
    `${microsoft}GroupQueryAttention`,
    [...packed, ...tables],
    { ...grouped, do_rotary: 1, rotary_interleaved: 1 },
  ],
  [
    'rotary of a part',
    `${microsoft}GroupQueryAttention`,
    [
      ...[random(1, tokens, heads * 32), random(1, tokens, kvHeads * 32), random(1, tokens, kvHeads * 32)],
      null,
      null,
      lengths,
      total,
      random(16, 8),
      random(16, 8),
    ],
    { ...grouped, do_rotary: 1 },
  ],
  [
    'rotary at given positions',
    `${microsoft}GroupQueryAttention`,
    [...separate, ...tables, { int64: [0, 1, 2, 3, 4, 5], dims: [1, tokens] }],
    { ...grouped, do_rotary: 1 },
  ],
  [
    'rotary at later positions',
    `${microsoft}GroupQueryAttention`,
    [...separate, ...tables, { int64: [2, 3, 4, 5, 6, 7], dims: [1, tokens] }],
    { ...grouped, do_rotary: 1 },
  ],
  ['local window', `${microsoft}GroupQueryAttention`, separate, { ...grouped, local_window_size: 3 }],
  ['local window of one', `${microsoft}GroupQueryAttention`, separate, { ...grouped, local_window_size: 1 }],
  ['softcap and scale', `${microsoft}GroupQueryAttention`, separate, { ...grouped, softcap: float(0.5), scale: float(1.7) }],
  ['bias', `${microsoft}GroupQueryAttention`, [...separate, null, null, null, random(1, heads, tokens, tokens)], grouped],
  [
    'bias and softcap',
    `${microsoft}GroupQueryAttention`,
    [...separate, null, null, null, random(1, 1, tokens, tokens)],
    { ...grouped, softcap: float(0.5) },
  ],
  ['sinks', `${microsoft}GroupQueryAttention`, [...separate, null, null, null, null, random(heads)], grouped],
  ['smooth softmax', `${microsoft}GroupQueryAttention`, separate, { ...grouped, smooth_softmax: 1 }],
  ['plain', `${microsoft}MultiHeadAttention`, [q3, q3, q3], { num_heads: heads }],
  ['bias', `${microsoft}MultiHeadAttention`, [q3, q3, q3, random(3 * heads * size)], { num_heads: heads }],
  ['causal, scale', `${microsoft}MultiHeadAttention`, [q3, q3, q3], { num_heads: heads, unidirectional: 1, scale: float(0.9) }],
  [
    'mask of keys',
    `${microsoft}MultiHeadAttention`,
    [q3, q3, q3, null, { int32: [1, 1, 0, 1, 1, 0], dims: [1, tokens] }],
    { num_heads: heads },
  ],
  ['number of keys', `${microsoft}MultiHeadAttention`, [q3, q3, q3, null, { int32: [4], dims: [1] }], { num_heads: heads }],
  [
    'mask of pairs',
    `${microsoft}MultiHeadAttention`,
    [q3, q3, q3, null, { int32: lower, dims: [1, tokens, tokens] }],
    { num_heads: heads },
  ],
  [
    'bias on scores',
    `${microsoft}MultiHeadAttention`,
    [q3, q3, q3, null, null, random(1, heads, tokens, tokens)],
    { num_heads: heads },
  ],
  [
    'mask and bias on scores',
    `${microsoft}MultiHeadAttention`,
    [q3, q3, q3, null, { int32: [1, 1, 0, 1, 1, 0], dims: [1, tokens] }, random(1, 1, tokens, tokens)],
    { num_heads: heads },
  ],
  [
    'keys of another text, split',
    `${microsoft}MultiHeadAttention`,
    [q3, random(1, heads, 9, size), random(1, heads, 9, size)],
    { num_heads: heads },
  ],
  ['values of another width', `${microsoft}MultiHeadAttention`, [q3, q3, random(1, tokens, heads * 4)], { num_heads: heads }],
  ['plain', `${microsoft}Attention`, [random(1, tokens, 16), random(16, 96), random(96)], { num_heads: heads }],
  [
    'causal, scale',
    `${microsoft}Attention`,
    [random(1, tokens, 16), random(16, 96), random(96)],
    { num_heads: heads, unidirectional: 1, scale: float(0.3) },
  ],
  [
    'mask of keys',
    `${microsoft}Attention`,
    [random(1, tokens, 16), random(16, 96), random(96), { int32: [1, 1, 1, 0, 0, 0], dims: [1, tokens] }],
    { num_heads: heads },
  ],
  [
    'number of keys',
    `${microsoft}Attention`,
    [random(1, tokens, 16), random(16, 96), random(96), { int32: [4], dims: [1] }],
    { num_heads: heads },
  ],
  [
    'widths of their own, bias on scores',
    `${microsoft}Attention`,
    [random(1, tokens, 16), random(16, 80), random(80), null, null, random(1, heads, tokens, tokens)],
    { num_heads: heads, qkv_hidden_sizes: [32, 32, 16] },
  ],
  [
    'mask, zero points',
    `${microsoft}QAttention`,
    [...quantised, { int32: [1, 1, 0, 1, 1, 0], dims: [1, tokens] }, zero, { int8: [3], dims: [] }],
    { num_heads: heads },
  ],
  ['causal, no zero points', `${microsoft}QAttention`, quantised, { num_heads: heads, unidirectional: 1 }],
  [
    'a scale and a zero point a column, number of keys',
    `${microsoft}QAttention`,
    [
      ...quantised.slice(0, 4),
      { float: whole(3 * width).map((i) => 0.002 + (i % 5) / 1000), dims: [3 * width] },
      { int32: [4], dims: [1] },
      zero,
      { int8: whole(3 * width).map((i) => (i % 7) - 3), dims: [3 * width] },
    ],
    { num_heads: heads },
  ],
  ['four dimensions', 'Attention', [q4, q4, q4], {}],
  ['grouped, causal', 'Attention', [q4, kv4, kv4], { is_causal: 1 }],
  ['three dimensions', 'Attention', [q3, kv3, kv3], { q_num_heads: heads, kv_num_heads: kvHeads, is_causal: 1 }],
  ['mask of what is seen', 'Attention', [q4, kv4, kv4, { bool: lower, dims: [tokens, tokens] }], {}],
  ['bias and softcap', 'Attention', [q4, kv4, kv4, random(1, 1, tokens, tokens)], { softcap: float(0.5), scale: float(1.3) }],
  ['keys of another text', 'Attention', [q4, random(1, kvHeads, 9, size), random(1, kvHeads, 9, size)], {}],
  ['four dimensions', 'RotaryEmbedding', [q4, random(1, tokens, size / 2), random(1, tokens, size / 2)], {}],
  [
    'part, interleaved',
    'RotaryEmbedding',
    [q4, random(1, tokens, 2), random(1, tokens, 2)],
    { rotary_embedding_dim: 4, interleaved: 1 },
  ],
  ['three dimensions, at positions', 'RotaryEmbedding', [q3, ...tables, reversed], { num_heads: heads }],
  ['three dimensions', `${microsoft}RotaryEmbedding`, [q3, reversed, ...tables], {}],
  ['four dimensions, from a position', `${microsoft}RotaryEmbedding`, [q4, { int64: [3], dims: [1] }, ...tables], {}],
  [
    'part of a head, interleaved',
    `${microsoft}RotaryEmbedding`,
    [q4, reversed, random(16, 2), random(16, 2)],
    { num_heads: heads, rotary_embedding_dim: 4, interleaved: 1 },
  ],
  [
    'all inputs',
    `${microsoft}SkipLayerNormalization`,
    [q3, q3, random(64), random(64), random(64)],
    { epsilon: float(1e-5) },
    ['y', '', '', 'sum'],
  ],
  ['no bias', `${microsoft}SkipLayerNormalization`, [q3, q3, random(64), random(64)], {}, ['y']],
  ['an old opset', `${microsoft}SkipLayerNormalization`, [q3, q3, random(64), random(64)], {}, ['y'], 12],
  [
    'all inputs',
    `${microsoft}SkipSimplifiedLayerNormalization`,
    [q3, q3, random(64), random(64)],
    { epsilon: float(1e-6) },
    ['y', '', '', 'sum'],
  ],
  ['an old opset', `${microsoft}SkipSimplifiedLayerNormalization`, [q3, q3, random(64)], {}, ['y'], 12],
  [
    'segments',
    `${microsoft}EmbedLayerNormalization`,
    [
      { int32: [3, 1, 4], dims: [1, 3] },
      { int32: [0, 1, 1], dims: [1, 3] },
      random(9, 16),
      random(8, 16),
      random(2, 16),
      random(16),
      random(16),
    ],
    { epsilon: float(1e-5) },
    ['y', 'lengths'],
  ],
  [
    'segments',
    `${microsoft}QEmbedLayerNormalization`,
    [
      { int32: [3, 1, 4], dims: [1, 3] },
      { int32: [0, 1, 1], dims: [1, 3] },
      ...[9, 8, 2].map((rows): Constant => ({ uint8: whole(rows * 16).map((i) => (i * 89) % 251), dims: [rows, 16] })),
      { uint8: whole(16).map((i) => 100 + i), dims: [16] },
      { uint8: whole(16).map((i) => 140 - i), dims: [16] },
      null,
      ...[0.01, 0.02, 0.03, 0.04, 0.05].map((scale): Constant => ({ float: [scale], dims: [] })),
      ...[128, 120, 110, 3, 130].map((zeroPoint): Constant => ({ uint8: [zeroPoint], dims: [] })),
    ],
    { epsilon: float(1e-5) },
    ['y', 'lengths'],
  ],
  [
    'no segments, positions',
    `${microsoft}EmbedLayerNormalization`,
    [
      { int32: [3, 1, 4], dims: [1, 3] },
      null,
      random(9, 16),
      random(8, 16),
      null,
      random(16),
      random(16),
      null,
      { int32: [5, 6, 7], dims: [1, 3] },
    ],
    {},
    ['y', 'lengths'],
  ],
  ['', 'QLinearMatMul', [...eightBit, ...rounding], {}],
  ['a scale a column', 'QLinearMatMul', [...eightBit.slice(0, 4), columns, columnZeros, ...rounding], {}],
  ['rounded', `${microsoft}QGemm`, [...eightBit, null, ...rounding], {}],
  [
    'with bias, turned, as real numbers',
    `${microsoft}QGemm`,
    [...eightBitTurned, columns, columnZeros, wholeBias],
    { transB: 1, alpha: float(2) },
  ],
  ['', `${microsoft}BiasGelu`, [random(1, tokens, 16), random(16)], {}],
  ['', `${microsoft}FastGelu`, [random(1, tokens, 16), random(16)], {}],
  ['without bias', `${microsoft}FastGelu`, [random(1, tokens, 16)], {}],
];

test.each(cases.map((form) => ({ what: form[0], key: form[1], form })))('$what $key', async ({ key, form }) => {
  const [, , inputs, attributes, outputs = ['y'], opset = 23] = form;
  const [domain, op] = key.includes(':') ? (key.split(':') as [string, string]) : ['', key];
  const make = () =>
    oneNode(op, domain, inputs, attributes, outputs.length === 1 && /GroupQuery/.test(op) ? ['y', 'k', 'v'] : outputs, opset);
  const named = outputs.filter((name) => name !== '' && name !== 'lengths');
  const fused = await runGraph(make(), named);
  const graph = make();
  graph.outputs = named.map((name) => ({ name, type: 0, dims: null }));
  const { lowered } = lowerGraph(graph, null, { precision: 'asServed' });
  expect(lowered).toEqual([key]);
  expect(graph.nodes.map(operatorKey).filter((left) => left === key && op !== 'FastGelu')).toEqual([]);
  const primitive = await runGraph(graph, named);
  for (const name of named) expect(relativeError(primitive[name]!, fused[name]!), name).toBeLessThan(2e-6);
});

test.each([
  [
    'quantised cache',
    `GroupQueryAttention`,
    [...separate, null, null, null, null, null, random(1), random(1)],
    grouped,
    /its cache is quantised/,
  ],
  ['heads that do not divide', `GroupQueryAttention`, separate, { num_heads: 4, kv_num_heads: 3 }, /numbers of heads/],
  [
    'rotation inside',
    `Attention`,
    [random(1, tokens, 16), random(16, 96), random(96)],
    { num_heads: heads, do_rotary: 1 },
    /rotates/,
  ],
  ['a scaled rotation', `RotaryEmbedding`, [q3, reversed, ...tables], { scale: float(2) }, /its scale is 2/],
] as const)('%s is refused by name', (_, op, inputs, attributes, why) => {
  const graph = oneNode(op, 'com.microsoft', inputs, attributes, ['y']);
  expect(() => lowerGraph(graph, null, { precision: 'asServed' })).toThrow(
    expect.objectContaining({ code: 'E_ONNX_UNSUPPORTED', message: expect.stringMatching(why) }) as Error,
  );
});

test('packed queries, keys and values, which ONNX Runtime has for other processors only, are the same numbers in another order', async () => {
  const names = ['q', 'k', 'v'];
  const apart = oneNode('MultiHeadAttention', 'com.microsoft', [q3, q3, q3], { num_heads: heads }, ['y']);
  const parts = names.map((_, i) => new Float32Array(apart.initializers.get(`input_${i}`)!.bytes!.slice().buffer));
  const pack = (which: readonly Float32Array[]) =>
    Array.from({ length: tokens * heads }, (_, head) =>
      which.map((part) => [...part.slice(head * size, (head + 1) * size)]),
    ).flat(2);
  const [q, k, v] = parts as [Float32Array, Float32Array, Float32Array];
  const all: Constant = { float: pack([q, k, v]), dims: [1, tokens, heads, 3, size] };
  const keysAndValues: Constant = { float: pack([k, v]), dims: [1, tokens, heads, 2, size] };
  const expected = (await runGraph(apart, ['y']))['y']!;
  for (const inputs of [[all], [{ float: [...q], dims: [1, tokens, heads * size] }, keysAndValues]]) {
    const graph = oneNode('MultiHeadAttention', 'com.microsoft', inputs, { num_heads: heads }, ['y']);
    lowerGraph(graph, null, { precision: 'asServed' });
    expect(relativeError((await runGraph(graph, ['y']))['y']!, expected)).toBeLessThan(2e-6);
  }
});
