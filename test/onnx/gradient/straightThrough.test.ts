/**
 * Rounding to 8 bits: its derivative is 0 almost everywhere, so what is checked is the definition, that of the same network with
 * real numbers and dequantised weights, written out.
 */
import { expect, test } from 'vitest';
import { elementTypes } from '../../../src/onnx/graph/graph.ts';
import type { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { checkedLength, differentiated, inputValues, open, randomNumbers, type SmallGraph } from './smallGraph.ts';

const [tokens, inner, columns] = [checkedLength, 6, 3];
const microsoft = { domain: 'com.microsoft' };
const weightBytes = Uint8Array.from({ length: inner * columns }, (_, i) => (i * 37 + 11) % 256);
const zeros = Uint8Array.of(120, 130, 7);
const scales = Float32Array.of(0.02, 0.03, 0.015);

/** W [inner, columns] as it is meant: (q − z) s. */
const dequantised = (row: number, column: number, zero: readonly number[], scale: readonly number[]) =>
  ((weightBytes[row * columns + column] ?? 0) - (zero[column % zero.length] ?? 0)) * (scale[column % scale.length] ?? 0);

const weight = (b: GraphBuilder) => b.constant([inner, columns], weightBytes);

interface WeightCase extends Pick<SmallGraph, 'build'> {
  readonly name: string;
  readonly zero: readonly number[];
  readonly scale: readonly number[];
  readonly bias?: readonly number[];
}

const dynamicProduct = (b: GraphBuilder, zero: string): string => {
  b.nodeWithOutputs('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']);
  return b.castToFloat(b.node('MatMulInteger', ['q', weight(b), 'z', zero]));
};

const weightCases: readonly WeightCase[] = [
  {
    name: 'DynamicQuantizeLinear, MatMulInteger, one zero point',
    zero: [120],
    scale: [0.02],
    build: (b) => b.multiply(dynamicProduct(b, b.constant([], Uint8Array.of(120))), b.multiply('s', b.number(0.02))),
  },
  {
    name: 'DynamicQuantizeLinear, MatMulInteger, a zero point and a scale a column',
    zero: [...zeros],
    scale: [...scales],
    build: (b) => b.multiply(dynamicProduct(b, b.constant([columns], zeros)), b.multiply('s', b.constant([columns], scales))),
  },
  {
    name: 'DynamicQuantizeLinear, MatMulInteger, no zero point',
    zero: [0],
    scale: [0.02],
    build: (b) => b.multiply(dynamicProduct(b, ''), b.multiply('s', b.number(0.02))),
  },
  {
    name: 'MatMulIntegerToFloat',
    bias: [1, 2, 3],
    zero: [...zeros],
    scale: [...scales],
    build: (b) => {
      b.nodeWithOutputs('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']);
      const bias = b.constant([columns], Float32Array.of(1, 2, 3));
      const inputs = ['q', weight(b), 's', b.constant([columns], scales), 'z', b.constant([columns], zeros), bias];
      return b.node('MatMulIntegerToFloat', inputs, {}, microsoft);
    },
  },
  {
    name: 'DynamicQuantizeMatMul',
    zero: [120],
    scale: [0.02],
    build: (b) => {
      const inputs = ['x', weight(b), b.constant([1], Float32Array.of(0.02)), b.constant([1], Uint8Array.of(120))];
      return b.node('DynamicQuantizeMatMul', inputs, {}, microsoft);
    },
  },
  {
    name: 'QuantizeLinear, DequantizeLinear, weight dequantised in the graph',
    zero: [120],
    scale: [0.02],
    build: (b) => {
      const [s, z] = [b.number(0.016), b.constant([], Uint8Array.of(128))];
      const rounded = b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', s, z]), s, z]);
      return b.matMul(rounded, b.node('DequantizeLinear', [weight(b), b.number(0.02), b.constant([], Uint8Array.of(120))]));
    },
  },
];

/** Runs the graph and its gradient with a random cotangent. */
async function gradientOf(small: SmallGraph) {
  const { graph, output, gradients } = await differentiated(small);
  const given = inputValues(small.inputs, tokens, 3);
  const forward = await open({ ...graph, inputs: graph.inputs.filter(({ name }) => name !== 'seed') }, [output]);
  const value = (await forward.run(given))[output]!;
  await forward.release();
  const random = randomNumbers(9);
  const cotangent = Float32Array.from({ length: value.data.length }, () => 2 * random() - 1);
  const session = await open(graph, [...gradients.values()]);
  const results = await session.run({ ...given, seed: { ...value, data: cotangent } });
  await session.release();
  const gradient = (input: string) => [...(results[gradients.get(input) ?? '']?.data ?? [])].map(Number);
  return { given, value, cotangent, gradient };
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => expect(actual[i], String(i)).toBeCloseTo(value, 5));
}

test.each(weightCases)('$name', async ({ zero, scale, bias, build }) => {
  const { given, value, cotangent, gradient } = await gradientOf({ opset: 13, inputs: { x: { dims: ['T', inner] } }, build });
  const x = given['x']!.data as Float32Array;
  const expected = Array.from(x, (_, i) => {
    const [token, row] = [Math.floor(i / inner), i % inner];
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += (cotangent[token * columns + c] ?? 0) * dequantised(row, c, zero, scale);
    return sum;
  });
  expectClose(gradient('x'), expected);
  // The forward pass is that of the same weights, up to what rounding x takes away: no test of a different network.
  value.data.forEach((number: number | bigint, i: number) => {
    const [token, c] = [Math.floor(i / columns), i % columns];
    let sum = bias?.[c] ?? 0;
    for (let row = 0; row < inner; row++) sum += (x[token * inner + row] ?? 0) * dequantised(row, c, zero, scale);
    expect(Math.abs(Number(number) - sum)).toBeLessThan(0.2);
  });
});

test('a scale for each channel, moved between rounding and back', async () => {
  const { cotangent, gradient } = await gradientOf({
    opset: 13,
    inputs: { x: { dims: ['T', 3] } },
    build: (b) => {
      const [s, z] = [b.constant([3], scales), b.constant([3], zeros)];
      const rounded = b.transpose(b.node('QuantizeLinear', ['x', s, z], { axis: 1 }), [1, 0]);
      return b.transpose(b.node('DequantizeLinear', [rounded, s, z], { axis: 0 }), [1, 0]);
    },
  });
  expectClose(gradient('x'), [...cotangent]);
});

test('both operands are rounded', async () => {
  const { given, cotangent, gradient } = await gradientOf({
    opset: 13,
    inputs: { x: { dims: [2, 'T', 3] }, y: { dims: [3, 2] } },
    build: (b) => {
      b.nodeWithOutputs('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']);
      b.nodeWithOutputs('DynamicQuantizeLinear', ['y'], ['r', 't', 'w']);
      return b.multiply(b.castToFloat(b.node('MatMulInteger', ['q', 'r', 'z', 'w'])), b.multiply('s', 't'));
    },
  });
  const [x, y] = [given['x']!.data as Float32Array, given['y']!.data as Float32Array];
  // Rounded operands stand in for the real ones, so within half a step of each: 4/255.
  const byX = Array.from(
    x,
    (_, i) =>
      (cotangent[Math.floor(i / 3) * 2] ?? 0) * (y[(i % 3) * 2] ?? 0) +
      (cotangent[Math.floor(i / 3) * 2 + 1] ?? 0) * (y[(i % 3) * 2 + 1] ?? 0),
  );
  const byY = Array.from(y, (_, i) => {
    let sum = 0;
    for (let row = 0; row < 2 * tokens; row++) sum += (x[row * 3 + Math.floor(i / 2)] ?? 0) * (cotangent[row * 2 + (i % 2)] ?? 0);
    return sum;
  });
  const far = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))));
  expect(far(gradient('x'), byX)).toBeLessThan(0.03);
  expect(far(gradient('y'), byY)).toBeLessThan(0.1);
});

test('whole numbers that stand for nothing real end the gradient', async () => {
  const { gradients } = await differentiated({
    opset: 13,
    inputs: { x: { dims: ['T', 3] }, y: { dims: ['T', 3] } },
    build: (b) => b.multiply('y', b.castToFloat(b.node('Cast', ['x'], { to: elementTypes.int64 }))),
  });
  expect([...gradients.keys()]).toEqual(['y']);
});
