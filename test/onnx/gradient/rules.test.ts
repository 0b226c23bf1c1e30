/** Every rule against central differences, in the forms the operator has had between opsets 11 and 23. */
import { expect, test } from 'vitest';
import { derivatives } from '../../../src/onnx/gradient/rules/rules.ts';
import { elementTypes, operatorKey } from '../../../src/onnx/graph/graph.ts';
import { float, GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { checkGradients, type Dims, type SmallGraph, type SmallInput } from './smallGraph.ts';
import { emptyGraph } from '../oneNode.ts';

interface RuleCase extends Omit<SmallGraph, 'opset'> {
  readonly name: string;
  readonly opsets: readonly number[];
}

const x = (...dims: Dims): Record<string, SmallInput> => ({ x: { dims } });
const positive = (...dims: Dims): Record<string, SmallInput> => ({ x: { dims, positive: true } });
const xAnd = (dims: Dims, others: Record<string, Dims | SmallInput>): Record<string, SmallInput> => ({
  x: { dims },
  ...Object.fromEntries(Object.entries(others).map(([name, given]) => [name, 'dims' in given ? given : { dims: given }])),
});
const microsoft = { domain: 'com.microsoft' };
const weights = (builder: GraphBuilder, ...dims: number[]) =>
  builder.constant(
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(7 * i + 1)),
  );

const one = (
  op: string,
  opsets: readonly number[],
  inputs: Record<string, SmallInput>,
  attributes: Parameters<GraphBuilder['node']>[2] = {},
  options: { domain?: string; names?: readonly string[] } = {},
): RuleCase => ({
  name: `${op} ${JSON.stringify(Object.values(inputs).map(({ dims }) => dims))} ${JSON.stringify(attributes)}`,
  opsets,
  inputs,
  build: (builder) =>
    builder.node(
      op,
      options.names ?? Object.keys(inputs),
      attributes,
      options.domain === undefined ? {} : { domain: options.domain },
    ),
});

const activations = ['Abs', 'Sigmoid', 'Tanh', 'Relu', 'Erf', 'Exp', 'Neg', 'Sin', 'Cos', 'Softplus', 'Softsign', 'Identity'].map(
  (op) => one(op, [13], x(2, 'T')),
);
const parametrised = [
  one('LeakyRelu', [11, 16], x(2, 'T'), { alpha: float(0.3) }),
  one('ThresholdedRelu', [13], x(2, 'T'), { alpha: float(0.4) }),
  one('Elu', [13, 22], x(2, 'T'), { alpha: float(0.7) }),
  one('Selu', [13], x(2, 'T')),
  one('Celu', [13], x(2, 'T'), { alpha: float(0.7) }),
  one('HardSigmoid', [13], x(2, 'T'), { alpha: float(0.4), beta: float(0.45) }),
  one('HardSwish', [14, 22], x(2, 'T')),
  { ...one('HardSwish', [14], x(2, 'T')), build: (b: GraphBuilder) => b.node('HardSwish', [b.multiply('x', b.number(3))]) },
  ...[false, true].map((turned) => ({
    ...one('Mul', [13], x(2, 'T')),
    name: `Mul of x and Sigmoid of x, ${turned ? 'turned' : 'in order'}, read by another node too`,
    build: (b: GraphBuilder) => {
      const sigmoid = b.node('Sigmoid', ['x']);
      return b.add(turned ? b.multiply(sigmoid, 'x') : b.multiply('x', sigmoid), sigmoid);
    },
  })),
  one('Mish', [18], x(2, 'T')),
  one('Swish', [24], x(2, 'T'), { alpha: float(1.3) }),
  one('Gelu', [20], x(2, 'T')),
  one('Gelu', [20], x(2, 'T'), { approximate: 'tanh' }),
  one('Gelu', [13], x(2, 'T'), {}, microsoft),
  one('QuickGelu', [13], x(2, 'T'), {}, microsoft),
  one('QuickGelu', [13], x(2, 'T'), { alpha: float(1) }, microsoft),
  one('FastGelu', [13], x(2, 'T', 3), {}, microsoft),
  one('FastGelu', [13], xAnd([2, 'T', 3], { b: [3] }), {}, microsoft),
  one('BiasGelu', [13], xAnd([2, 'T', 3], { b: [3] }), {}, microsoft),
  one('Sqrt', [13], positive(2, 'T')),
  one('Reciprocal', [13], positive(2, 'T')),
  one('Log', [13], positive(2, 'T')),
  one('Dropout', [11, 13], x(2, 'T')),
  one('Cast', [11, 13], x(2, 'T'), { to: elementTypes.float32 }),
] satisfies RuleCase[];

const arithmetic = ['Add', 'Sub', 'Mul', 'Max', 'Min', 'Sum', 'Mean'].flatMap((op) => [
  one(op, [13], xAnd(['T', 3], { y: ['T', 3] })),
  one(op, [13], xAnd([2, 'T', 3], { y: ['T', 1] })),
  one(op, [13], xAnd([1, 'T', 1], { y: [2, 1, 3] })),
  one(op, [13], xAnd([], { y: ['T', 2] })),
]);
const powers = [
  one('Div', [13], { x: { dims: [2, 'T', 3] }, y: { dims: ['T', 1], positive: true } }),
  one('Div', [13], { x: { dims: [3] }, y: { dims: ['T', 3], positive: true } }),
  one('Pow', [11, 13, 15], { x: { dims: ['T', 3], positive: true }, y: { dims: [3] } }),
  ...[2, 3, 0.5, -1].map(
    (exponent): RuleCase => ({
      name: `Pow ${exponent}`,
      opsets: [13],
      inputs: { x: { dims: ['T', 3], positive: exponent < 2 } },
      build: (b) => b.node('Pow', ['x', b.number(exponent)]),
    }),
  ),
  { name: 'Pow of a whole exponent', opsets: [13], inputs: x('T', 3), build: (b) => b.node('Pow', ['x', b.int(3)]) },
  {
    name: 'Pow of a computed exponent',
    opsets: [13],
    inputs: { x: { dims: ['T', 3], positive: true }, n: { dims: [1], whole: () => 3 } },
    build: (b) => b.node('Pow', ['x', 'n']),
  },
  { name: 'Mul by itself', opsets: [13], inputs: x('T', 3), build: (b) => b.multiply('x', 'x') },
] satisfies RuleCase[];

const choices = [
  {
    name: 'Where',
    opsets: [11, 16],
    inputs: xAnd([2, 'T', 1], { y: ['T', 3] }),
    build: (b) => b.node('Where', [b.node('Greater', ['y', b.number(0)]), 'x', 'y']),
  },
  {
    name: 'Where with a constant',
    opsets: [13],
    inputs: x('T', 3),
    build: (b) => b.node('Where', [b.node('Less', ['x', b.number(0)]), 'x', b.number(-9)]),
  },
  one('Clip', [11], x('T', 3)),
  { name: 'Clip', opsets: [11, 13], inputs: x('T', 3), build: (b) => b.node('Clip', ['x', b.number(-1.03), b.number(0.97)]) },
  { name: 'Clip below', opsets: [13], inputs: x('T', 3), build: (b) => b.node('Clip', ['x', b.number(0.01)]) },
  { name: 'Clip above', opsets: [13], inputs: x('T', 3), build: (b) => b.node('Clip', ['x', '', b.number(0.01)]) },
  one('Max', [13], xAnd(['T', 3], { y: ['T', 3], z: [3] })),
] satisfies RuleCase[];

const softmaxes = ['Softmax', 'LogSoftmax'].flatMap((op) => [
  one(op, [11, 13], x(2, 'T', 3), { axis: -1 }),
  one(op, [11, 13], x(2, 'T', 3), { axis: 1 }),
  one(op, [11, 13, 23], x(2, 'T', 3)),
]);

const norms = [
  one('LayerNormalization', [17], xAnd([2, 'T', 4], { w: [4], b: [4] })),
  one('LayerNormalization', [17], xAnd([2, 'T', 4], { w: [4] }), { epsilon: float(0.1), axis: 2 }),
  one('LayerNormalization', [17], xAnd(['T', 3, 2], { w: [3, 2] }), { axis: -2 }),
  one('LayerNormalization', [13], xAnd([1, 'T', 4], { w: [4], b: [4] }), { epsilon: float(1e-5), axis: -1 }),
  one('SimplifiedLayerNormalization', [13], xAnd([2, 'T', 4], { w: [4] }), { epsilon: float(1e-5), axis: -1, stash_type: 1 }),
  one('RMSNormalization', [23], xAnd([2, 'T', 4], { w: [4] }), { epsilon: float(0.1) }),
];

const products = [
  ...(
    [
      [
        ['T', 3],
        [3, 4],
      ],
      [
        [2, 'T', 3],
        [3, 4],
      ],
      [
        [2, 'T', 3],
        [2, 3, 4],
      ],
      [
        [1, 2, 'T', 3],
        [2, 1, 3, 'T'],
      ],
      [
        ['T', 3],
        [2, 3, 2],
      ],
      [[3], [3]],
      [['T', 3], [3]],
      [[2, 'T', 3], [3]],
      [[3], [3, 4]],
      [[3], [2, 3, 'T']],
    ] as const
  ).map(([a, b]) => one('MatMul', [11, 13], xAnd(a, { y: b }))),
  ...(
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const
  ).flatMap(([transA, transB]) => [
    one('Gemm', [11, 13], xAnd(transA === 1 ? [3, 'T'] : ['T', 3], { y: transB === 1 ? [4, 3] : [3, 4], c: [4] }), {
      transA,
      transB,
      alpha: float(0.7),
      beta: float(1.5),
    }),
    one(
      'FusedMatMul',
      [13],
      xAnd(transA === 1 ? [2, 3, 'T'] : [2, 'T', 3], { y: transB === 1 ? [2, 4, 3] : [2, 3, 4] }),
      { transA, transB, alpha: float(0.7) },
      microsoft,
    ),
    one(
      'FusedMatMul',
      [13],
      xAnd(transA === 1 ? [2, 3, 'T'] : [2, 'T', 3], { y: transB === 1 ? [4, 3] : [3, 4] }),
      { transA, transB },
      microsoft,
    ),
    one(
      'FusedMatMul',
      [13],
      xAnd(transA === 1 ? [3, 2, 'T'] : ['T', 2, 3], { y: transB === 1 ? [4, 2, 3] : [3, 2, 4] }),
      { transA, transB, transBatchA: 1, transBatchB: 1, alpha: float(0.5) },
      microsoft,
    ),
    one(
      'FusedMatMul',
      [13],
      xAnd(transA === 1 ? [2, 3, 'T'] : [2, 'T', 3], { y: transB === 1 ? [4, 2, 3] : [3, 2, 4] }),
      { transA, transB, transBatchB: 1 },
      microsoft,
    ),
  ]),
  one('Gemm', [13], xAnd(['T', 3], { y: [3, 4] })),
  one('Gemm', [13], xAnd(['T', 3], { y: [3, 4], c: ['T', 1] })),
  one('Einsum', [13], xAnd([2, 'T', 3], { y: [2, 'T', 3] }), { equation: 'bqd,bkd->bqk' }),
  one('Einsum', [13], xAnd(['T', 3], { y: [3, 2] }), { equation: 'ij,jk' }),
  one('Einsum', [13], xAnd(['T', 3], { y: [3], z: ['T'] }), { equation: 'ij,j,i->ji' }),
];

const layouts = [
  { name: 'Reshape to heads', opsets: [11, 13, 21], inputs: x(1, 'T', 6), build: (b) => b.reshape('x', [0, 0, 2, 3]) },
  { name: 'Reshape over varying axes', opsets: [13], inputs: x(2, 'T', 3), build: (b) => b.reshape('x', [-1]) },
  { name: 'Reshape apart', opsets: [13], inputs: x('T', 'T', 4), build: (b) => b.reshape(b.reshape('x', [-1, 4]), [-1, 2]) },
  { name: 'Reshape to a scalar', opsets: [13], inputs: x(1, 1), build: (b) => b.reshape('x', []) },
  one('Flatten', [11, 13], x(2, 'T', 3)),
  one('Flatten', [13], x(2, 'T', 3), { axis: -1 }),
  {
    name: 'Unsqueeze, Squeeze',
    opsets: [11, 13],
    inputs: x(2, 'T', 1),
    build: (b) => b.squeeze(b.unsqueeze('x', [0, 2]), [0, 4]),
  },
  { name: 'Squeeze all', opsets: [11, 13], inputs: x(1, 'T', 1), build: (b) => b.node('Squeeze', ['x']) },
  one('Transpose', [13], x(2, 'T', 3)),
  one('Transpose', [13], x(2, 'T', 3), { perm: [1, 2, 0] }),
  { name: 'Expand', opsets: [13], inputs: x('T', 1), build: (b) => b.node('Expand', ['x', b.ints(2, 1, 3)]) },
  one('Concat', [11, 13], xAnd(['T', 2], { y: ['T', 3] }), { axis: -1 }),
  one('Concat', [11, 13], xAnd(['T', 2], { y: [3, 2] }), { axis: 0 }),
  one('Concat', [13], xAnd([3, 2], { y: ['T', 2], z: [2, 2] }), { axis: 0 }),
  one('Concat', [13], x('T', 2), { axis: 1 }),
  {
    name: 'Concat with itself and constants',
    opsets: [11, 13],
    inputs: x('T', 2),
    build: (b) => b.node('Concat', ['x', weights(b, 2, 2), 'x'], { axis: 0 }),
  },
  {
    name: 'Concat with nothing',
    opsets: [13],
    inputs: x('T', 2),
    build: (b) => b.node('Concat', [b.constant([0, 2], new Float32Array()), 'x'], { axis: 0 }),
  },
  {
    name: 'Split',
    opsets: [11, 13, 18],
    inputs: x('T', 6),
    build: (b) => {
      const [first = '', second = '', third = ''] = b.split('x', -1, [1, 2, 3]);
      return b.add(b.multiply(third, first), b.node('Pad', [second, b.ints(0, 0, 0, 1)]));
    },
  },
  { name: 'Split, one part used', opsets: [13], inputs: x('T', 6), build: (b) => b.split('x', 1, [2, 4])[1] ?? '' },
  {
    name: 'Split by number',
    opsets: [18],
    inputs: x('T', 5),
    build: (b) => {
      b.nodeWithOutputs('Split', ['x'], ['s0', 's1'], { axis: 1, num_outputs: 2 });
      return b.add('s1', b.slice('s0', 1, 0, 2));
    },
  },
  { name: 'Tile', opsets: [11, 13], inputs: x('T', 2), build: (b) => b.node('Tile', ['x', b.ints(2, 3)]) },
  one('Trilu', [14], x(2, 'T', 'T')),
  { name: 'Trilu below', opsets: [14], inputs: x('T', 'T'), build: (b) => b.node('Trilu', ['x', b.int(-1)], { upper: 0 }) },
  { name: 'CumSum', opsets: [11, 14], inputs: x('T', 2), build: (b) => b.node('CumSum', ['x', b.int(0)]) },
  {
    name: 'CumSum reversed',
    opsets: [14],
    inputs: x('T', 2),
    build: (b) => b.node('CumSum', ['x', b.int(0)], { exclusive: 1, reverse: 1 }),
  },
  { name: 'Pad', opsets: [11, 13, 19], inputs: x('T', 3), build: (b) => b.node('Pad', ['x', b.ints(1, 0, 2, 1), b.number(7)]) },
  { name: 'Pad by less', opsets: [13], inputs: x('T', 3), build: (b) => b.node('Pad', ['x', b.ints(-1, 0, 2, -1)]) },
  { name: 'Pad some axes', opsets: [18], inputs: x('T', 3), build: (b) => b.node('Pad', ['x', b.ints(1, 2), '', b.ints(-1)]) },
  {
    name: 'Pad by a computed width',
    opsets: [13],
    inputs: xAnd(['T', 3], { w: { dims: [4], whole: (i, length) => (i === 2 ? length : 1) } }),
    build: (b) => b.node('Pad', ['x', 'w']),
  },
] satisfies RuleCase[];

const sliced = (
  name: string,
  [starts, ends, axes, steps]: readonly [number[], number[], number[]?, number[]?],
  opsets = [11, 13],
): RuleCase => ({
  name: `Slice ${name}`,
  opsets,
  inputs: x('T', 6),
  build: (b) => {
    const inputs = ['x', b.ints(...starts), b.ints(...ends)];
    if (axes !== undefined) inputs.push(b.ints(...axes));
    if (steps !== undefined) inputs.push(b.ints(...steps));
    return b.node('Slice', inputs);
  },
});
const all = Number.MAX_SAFE_INTEGER;
const places = [
  sliced('fixed', [[1], [4], [1]]),
  sliced('without axes', [
    [1, 2],
    [3, all],
  ]),
  sliced('from the end', [[-2], [all], [-1]]),
  sliced('varying axis', [[1], [all], [0]]),
  sliced('last of a varying axis', [[-1], [all], [0]]),
  sliced('all but the last', [[0], [-1], [0]]),
  sliced('first of a varying axis', [[0], [2], [0]]),
  sliced('longer than the probed', [[0], [6], [0]]),
  sliced('from far before the start', [[-6], [all], [0]]),
  sliced('whole', [[0], [all], [0]]),
  sliced('by steps', [
    [0, 1],
    [all, all],
    [0, 1],
    [2, 3],
  ]),
  sliced('backwards', [[-1], [-all], [0], [-1]]),
  sliced('backwards by steps', [
    [5, 1],
    [0, all],
    [1, 0],
    [-2, 1],
  ]),
  {
    name: 'Slice up to a computed length',
    opsets: [11, 13],
    inputs: xAnd(['T', 3], { n: { dims: [1], whole: (_, length) => length - 2 } }),
    build: (b) => b.node('Slice', ['x', b.ints(0), 'n', b.ints(0)]),
  },
  {
    name: 'Slice from a computed start',
    opsets: [13],
    inputs: xAnd(['T', 3], { n: { dims: [1], whole: (_, length) => length - 2 } }),
    build: (b) => b.node('Slice', ['x', 'n', b.ints(all), b.ints(0)]),
  },
  {
    name: 'Slice from a computed start, counted from the end',
    opsets: [13],
    inputs: xAnd(['T', 3], { n: { dims: [1], whole: (_, length) => 1 - length } }),
    build: (b) => b.node('Slice', ['x', 'n', b.ints(all), b.ints(0)]),
  },
  {
    name: 'Slice with 32-bit places',
    opsets: [13],
    inputs: xAnd(['T', 3], { n: { dims: [1], whole: (_, length) => length - 2 } }),
    build: (b) => {
      const start = b.node('Cast', ['n'], { to: elementTypes.int32 });
      return b.node('Slice', ['x', start, b.constant([1], Int32Array.of(100)), b.constant([1], Int32Array.of(0))]);
    },
  },
  { name: 'Gather one', opsets: [11, 13], inputs: x(2, 'T', 3), build: (b) => b.node('Gather', ['x', b.int(-1)], { axis: 1 }) },
  {
    name: 'Gather several',
    opsets: [13],
    inputs: x(2, 'T', 3),
    build: (b) => b.node('Gather', ['x', b.ints(3, 0, 3, -2)], { axis: 1 }),
  },
  {
    name: 'Gather along the last',
    opsets: [13],
    inputs: x('T', 3),
    build: (b) => b.node('Gather', ['x', b.ints(2, 0, 0)], { axis: -1 }),
  },
  {
    name: 'Gather a table',
    opsets: [13],
    inputs: x(2, 'T', 3),
    build: (b) => b.node('Gather', ['x', b.constant([2, 2], BigInt64Array.of(1n, 0n, 3n, 1n))], { axis: 1 }),
  },
  {
    name: 'Gather a table along the first',
    opsets: [13],
    inputs: x('T', 3),
    build: (b) => b.node('Gather', ['x', b.constant([1, 3], BigInt64Array.of(1n, 0n, 1n))]),
  },
  {
    name: 'Gather by computed places',
    opsets: [13],
    inputs: xAnd(['T', 3], { n: { dims: ['T'], whole: (i, length) => (i * 2) % length } }),
    build: (b) => b.node('Gather', ['x', 'n']),
  },
  { name: 'Gather from one axis', opsets: [13], inputs: x('T'), build: (b) => b.node('Gather', ['x', b.int(1)]) },
  ...[-1, 1].map(
    (axis): RuleCase => ({
      name: `GatherElements ${axis}`,
      opsets: [13, 16, 18],
      inputs: xAnd([2, 4, 'T'], { n: { dims: [2, 4, 'T'], whole: (i) => (i * 3 + 1) % 4 } }),
      build: (b) => b.node('GatherElements', ['x', 'n'], { axis }),
    }),
  ),
  {
    name: 'GatherElements of a part',
    opsets: [16],
    inputs: xAnd([2, 3, 'T'], { n: { dims: [1, 5, 2], whole: (i) => i % 3 } }),
    build: (b) => b.node('GatherElements', ['x', 'n'], { axis: 1 }),
  },
  {
    name: 'GatherND',
    opsets: [16, 18],
    inputs: xAnd([2, 'T', 3], { n: { dims: [3, 2], whole: (i) => [0, 1, 1, 3, 0, 1][i] ?? 0 } }),
    build: (b) => b.node('GatherND', ['x', 'n']),
  },
] satisfies RuleCase[];

const reductions = [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSumExp',
].flatMap((op): RuleCase[] => {
  const asInput = op === 'ReduceSum' ? 13 : 18;
  const reduce = (axes: number[] | null, attributes: Record<string, number>) => (b: GraphBuilder) => {
    if (axes === null) return b.node(op, ['x'], attributes);
    return b.opset >= asInput ? b.node(op, ['x', b.ints(...axes)], attributes) : b.node(op, ['x'], { axes, ...attributes });
  };
  return [
    { name: `${op} last`, opsets: [11, 13, 18], inputs: x(2, 'T', 3), build: reduce([-1], {}) },
    { name: `${op} two`, opsets: [11, 18], inputs: x(2, 'T', 3), build: reduce([1, -3], { keepdims: 0 }) },
    { name: `${op} all`, opsets: [11, 18], inputs: x('T', 3), build: reduce(null, { keepdims: 0 }) },
  ];
});
reductions.push({
  name: 'ReduceSum of no axes',
  opsets: [13],
  inputs: x('T', 3),
  build: (b) => b.node('ReduceSum', ['x', b.ints()], { noop_with_empty_axes: 1 }),
});

/** 4- and 8-bit weights with known scales; with accuracy level 1 the forward pass rounds nothing. */
const packed = (bits: 4 | 8, columns: number, zeros: 'none' | 'whole' | 'real'): RuleCase => ({
  name: `MatMulNBits ${bits} bits, ${columns} columns, zero points: ${zeros}`,
  opsets: [17],
  inputs: x(1, 'T', columns),
  build: (b) => {
    const [rows, block] = [3, 16];
    const blocks = Math.ceil(columns / block);
    const bytes = (count: number, step: number) => Uint8Array.from({ length: count }, (_, i) => (i * step + 11) % 256);
    const inputs = [
      'x',
      b.constant([rows, blocks, (block * bits) / 8], bytes((rows * blocks * block * bits) / 8, 37)),
      b.constant(
        [rows * blocks],
        Float32Array.from({ length: rows * blocks }, (_, i) => 0.02 + 0.005 * i),
      ),
    ];
    const perRow = Math.ceil((blocks * bits) / 8);
    if (zeros === 'whole') inputs.push(b.constant([rows * perRow], bytes(rows * perRow, 91)));
    if (zeros === 'real')
      inputs.push(
        b.constant(
          [rows, blocks],
          Float32Array.from({ length: rows * blocks }, (_, i) => 7.5 + 0.25 * i),
        ),
      );
    return b.node('MatMulNBits', inputs, { K: columns, N: rows, bits, block_size: block, accuracy_level: 1 }, microsoft);
  },
});
const quantised = [
  packed(4, 32, 'none'),
  packed(4, 32, 'whole'),
  packed(4, 24, 'whole'),
  packed(4, 40, 'none'),
  packed(4, 32, 'real'),
  packed(8, 32, 'none'),
  packed(8, 32, 'whole'),
  packed(8, 24, 'none'),
];

const cases: readonly RuleCase[] = [
  ...activations,
  ...parametrised,
  ...arithmetic,
  ...powers,
  ...choices,
  ...softmaxes,
  ...norms,
  ...products,
  ...layouts,
  ...places,
  ...reductions,
  ...quantised,
];

test.each(cases.flatMap(({ opsets, ...rest }) => opsets.map((opset) => ({ ...rest, opset }))))(
  '$name, opset $opset',
  async (ruleCase) => {
    await checkGradients(ruleCase);
  },
);

/** Rounding has no derivative to compare with: straightThrough.test.ts. */
const roundings = [
  'MatMulInteger',
  'com.microsoft:MatMulIntegerToFloat',
  'com.microsoft:DynamicQuantizeMatMul',
  'DynamicQuantizeLinear',
  'QuantizeLinear',
  'DequantizeLinear',
];

test('every rule but those for rounding was checked', () => {
  const met = new Set<string>(roundings);
  for (const { opsets, build } of cases) {
    const builder = new GraphBuilder(emptyGraph(opsets[0] ?? 13));
    build(builder);
    for (const node of builder.nodes) met.add(operatorKey(node));
  }
  // The old name of FusedMatMul, which ONNX Runtime still reads.
  expect([...derivatives.keys()].filter((key) => !met.has(key))).toEqual(['com.microsoft:TransposeMatMul']);
});
