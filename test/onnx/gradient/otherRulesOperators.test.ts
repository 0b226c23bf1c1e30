/** The rules of AttnLRP and DeepLIFT, operator by operator: closed forms, and parts that add up. */
import { describe, expect, test } from 'vitest';
import type { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { float } from '../../../src/onnx/graph/graphBuilder.ts';
import { byRules, type SmallGraph } from './smallGraph.ts';

const microsoft = { domain: 'com.microsoft' };
const square = (b: GraphBuilder) =>
  b.constant(
    [6, 6],
    Float32Array.from({ length: 36 }, (_, i) => Math.sin(1 + i)),
  );
const row = (b: GraphBuilder) =>
  b.constant(
    [6],
    Float32Array.from({ length: 6 }, (_, i) => 1 + Math.cos(i) / 2),
  );
const number = (b: GraphBuilder, value: number) => b.number(value);

function graphOf(build: (b: GraphBuilder) => string, positive = false, opset = 20): SmallGraph {
  return { opset, inputs: { x: { dims: [1, 'T', 6], positive } }, build };
}

const swish = (b: GraphBuilder, x: string) => b.multiply(x, b.node('Sigmoid', [x]));
/** ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), as transformers writes it. */
const geluTanh = (b: GraphBuilder, x: string) => {
  const cubed = b.node('Pow', [x, number(b, 3)]);
  const inner = b.add(x, b.multiply(number(b, 0.044715), cubed));
  const tanh = b.node('Tanh', [b.multiply(number(b, Math.sqrt(2 / Math.PI)), inner)]);
  return b.multiply(b.multiply(number(b, 0.5), x), b.add(number(b, 1), tanh));
};
const geluErf = (b: GraphBuilder, x: string) => {
  const erf = b.node('Erf', [b.divide(x, number(b, Math.SQRT2))]);
  return b.multiply(b.multiply(x, b.add(erf, number(b, 1))), number(b, 0.5));
};
const rootMeanSquare = (b: GraphBuilder, x: string) =>
  b.node('Sqrt', [b.add(b.mean(b.node('Pow', [x, number(b, 2)]), [-1]), number(b, 1e-5))]);

const forms: readonly (readonly [string, SmallGraph])[] = [
  ...['Exp', 'Sigmoid', 'Tanh', 'Erf', 'Softplus', 'Relu', 'Sin', 'Elu', 'HardSwish', 'Mish', 'Abs', 'Gelu'].map(
    (op) => [op, graphOf((b) => b.node(op, ['x']))] as const,
  ),
  ...['Log', 'Sqrt', 'Reciprocal'].map((op) => [op, graphOf((b) => b.node(op, ['x']), true)] as const),
  ...['Gelu', 'QuickGelu', 'FastGelu'].map(
    (op) => [`com.microsoft ${op}`, graphOf((b) => b.node(op, ['x'], {}, microsoft))] as const,
  ),
  ...[2, 3, 0.5, -0.5, -1, 1.7].map(
    (power) => [`Pow ${power}`, graphOf((b) => b.node('Pow', ['x', number(b, power)]), true)] as const,
  ),
  ['Clip', graphOf((b) => b.node('Clip', ['x', number(b, -1), number(b, 1)]))],
  ['Max', graphOf((b) => b.node('Max', ['x', number(b, 0.3)]))],
  ['x · sigmoid x', graphOf((b) => swish(b, 'x'))],
  ['GELU by tanh', graphOf((b) => geluTanh(b, 'x'))],
  ['a product of two', graphOf((b) => b.multiply(b.matMul('x', square(b)), 'x'))],
  ['a product with itself', graphOf((b) => b.multiply('x', 'x'))],
  ['a matrix product of two', graphOf((b) => b.matMul('x', 'x', { b: true }))],
  ['FusedMatMul', graphOf((b) => b.node('FusedMatMul', ['x', 'x'], { transB: 1, alpha: float(0.4) }, microsoft))],
  ['Einsum', graphOf((b) => b.node('Einsum', ['x', 'x'], { equation: { kind: 'string', value: 'bid,bjd->bij' } }))],
  ['a quotient of two', graphOf((b) => b.divide(b.matMul('x', square(b)), 'x'), true)],
  ['Softmax', graphOf((b) => b.node('Softmax', [b.multiply('x', number(b, 2))], { axis: -1 }))],
  [
    'Softmax of masked ones',
    graphOf((b) => {
      const mask = b.constant([6], Float32Array.of(0, -Infinity, 0, 0, -Infinity, 0));
      return b.node('Softmax', [b.add('x', mask)], { axis: -1 });
    }),
  ],
  ['LogSoftmax', graphOf((b) => b.node('LogSoftmax', ['x'], { axis: -1 }))],
  ['LayerNormalization', graphOf((b) => b.node('LayerNormalization', ['x', row(b), row(b)], { axis: -1 }))],
  ['RMSNormalization', graphOf((b) => b.node('SimplifiedLayerNormalization', ['x', row(b)], { axis: -1 }))],
  ['a norm written out', graphOf((b) => b.divide('x', rootMeanSquare(b, 'x')))],
  ['ReduceL2', graphOf((b) => b.node('ReduceL2', ['x', b.ints(-1)], { keepdims: 0 }))],
  ['ReduceSumSquare', graphOf((b) => b.node('ReduceSumSquare', ['x', b.ints(-1)], { keepdims: 1 }))],
];

describe('rescale', () => {
  test.each(forms)('%s: parts add up', async (_, small) => {
    const { x, x0, y, y0, slope, seed } = await byRules(small, 'rescale');
    const difference = y.reduce((sum, value, at) => sum + seed[at]! * (value - y0[at]!), 0);
    const parts = slope.reduce((sum, part, at) => sum + part * (x[at]! - x0[at]!), 0);
    const size = y.reduce((sum, value, at) => sum + Math.abs(seed[at]! * (value - y0[at]!)), 0);
    expect(size).toBeGreaterThan(1e-3);
    expect(Math.abs(parts - difference), `${parts} of ${difference}`).toBeLessThan(1e-4 * size);
  });

  test.each([
    ['a choice by the input', (b: GraphBuilder) => b.node('Where', [b.node('Greater', ['x', number(b, 0)]), 'x', number(b, 0)])],
    ['the larger of two', (b: GraphBuilder) => b.node('Max', ['x', b.multiply('x', number(b, -1))])],
    ['ReduceMax', (b: GraphBuilder) => b.node('ReduceMax', ['x', b.ints(-1)])],
  ])('%s is refused', async (_, build) => {
    await expect(byRules(graphOf(build), 'rescale')).rejects.toMatchObject({ code: 'E_GRADIENT_UNSUPPORTED' });
  });
});

describe('relevance', () => {
  test.each([
    ['x · sigmoid x', (b: GraphBuilder) => swish(b, 'x')],
    ['x / (1 + exp −x)', (b: GraphBuilder) => b.divide('x', b.add(number(b, 1), b.node('Exp', [b.node('Neg', ['x'])])))],
    ['GELU by tanh', (b: GraphBuilder) => geluTanh(b, 'x')],
    ['GELU by erf', (b: GraphBuilder) => geluErf(b, 'x')],
    ['Gelu', (b: GraphBuilder) => b.node('Gelu', ['x'])],
    ['Tanh', (b: GraphBuilder) => b.node('Tanh', ['x'])],
    ['a capped score', (b: GraphBuilder) => b.multiply(b.node('Tanh', [b.divide('x', number(b, 5))]), number(b, 5))],
    ['x²', (b: GraphBuilder) => b.node('Pow', ['x', number(b, 2)])],
    ['Clip', (b: GraphBuilder) => b.node('Clip', ['x', number(b, -1), number(b, 1)])],
  ])('%s: all goes to x', async (_, build) => {
    const { x, y, slope, seed } = await byRules(graphOf(build), 'relevance');
    slope.forEach((found, at) => expect(found * x[at]!).toBeCloseTo(seed[at]! * y[at]!, 5));
  });

  test('a bias before an activation keeps its share', async () => {
    const { x, y, slope, seed } = await byRules(
      graphOf((b) => swish(b, b.add('x', number(b, 0.7)))),
      'relevance',
    );
    slope.forEach((found, at) => expect(found).toBeCloseTo((seed[at]! * y[at]!) / (x[at]! + 0.7), 4));
  });

  test.each([
    ['x / √(mean x² + ε)', (b: GraphBuilder) => b.divide('x', rootMeanSquare(b, 'x'))],
    ['x · 1 / √(mean x² + ε)', (b: GraphBuilder) => b.multiply('x', b.node('Reciprocal', [rootMeanSquare(b, 'x')]))],
    [
      '(mean x² + ε)^−½ · x',
      (b: GraphBuilder) => {
        const size = b.add(b.mean(b.multiply('x', 'x'), [-1]), number(b, 1e-5));
        return b.multiply(b.node('Pow', [size, number(b, -0.5)]), 'x');
      },
    ],
    ['SimplifiedLayerNormalization', (b: GraphBuilder) => b.node('SimplifiedLayerNormalization', ['x', row(b)], { axis: -1 })],
  ])('%s: its scale is a constant', async (_, build) => {
    const { x, y, slope, seed } = await byRules(graphOf(build), 'relevance');
    slope.forEach((found, at) => expect(found * x[at]!).toBeCloseTo(seed[at]! * y[at]!, 4));
  });

  test('LayerNormalization: all passes, as through its centring', async () => {
    const small = graphOf((b) => b.node('LayerNormalization', ['x', row(b)], { axis: -1 }));
    const { x, y, slope, seed } = await byRules(small, 'relevance');
    const passed = slope.reduce((sum, found, at) => sum + found * x[at]!, 0);
    expect(passed).toBeCloseTo(
      y.reduce((sum, value, at) => sum + value * seed[at]!, 0),
      4,
    );
  });

  test('two activations share their product', async () => {
    const both = await byRules(
      graphOf((b) => b.multiply(b.matMul('x', square(b)), 'x')),
      'relevance',
    );
    const passed = both.slope.reduce((sum, found, at) => sum + found * both.x[at]!, 0);
    expect(passed).toBeCloseTo(
      both.y.reduce((sum, value, at) => sum + value * both.seed[at]!, 0),
      4,
    );
  });

  test.each([
    ['Sigmoid', (b: GraphBuilder) => b.node('Sigmoid', ['x'])],
    ['Exp', (b: GraphBuilder) => b.node('Exp', ['x'])],
    ['LogSoftmax', (b: GraphBuilder) => b.node('LogSoftmax', ['x'])],
  ])('%s is refused', async (op, build) => {
    await expect(byRules(graphOf(build), 'relevance')).rejects.toThrow(new RegExp(`E_GRADIENT_UNSUPPORTED.*${op}`));
  });
});
