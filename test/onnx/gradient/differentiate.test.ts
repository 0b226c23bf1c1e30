/** Where a gradient begins and ends, what several paths add up to, and what is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/onnx/gradient/differentiate.ts';
import { type AttributeValue, elementTypes } from '../../../src/onnx/graph/graph.ts';
import { float, GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { checkGradients, inputValues, open, probedGraph, type SmallGraph } from './smallGraph.ts';

const microsoft = { domain: 'com.microsoft' };
const chain: SmallGraph = {
  opset: 13,
  inputs: { x: { dims: ['T', 2] } },
  build: (b) => {
    const a = b.node('Mul', ['x', b.number(3)], {}, { output: 'a' });
    const c = b.node('Add', [a, 'x'], {}, { output: 'c' });
    b.node('Mul', ['x', 'x'], {}, { output: 'aside' });
    b.node('Identity', [c], {}, { output: 'same' });
    return b.node('Mul', [c, b.number(2)], {}, { output: 'y' });
  },
};

async function run(small: SmallGraph, seeds: Record<string, number[]>, roots: string[], wanted: string[]) {
  const { graph, probe } = await probedGraph(small);
  const builder = new GraphBuilder(graph);
  const named = new Map(Object.keys(seeds).map((tensor) => [tensor, `seed ${tensor}`]));
  const gradients = differentiate(graph, probe, builder, { seeds: named, roots, wanted });
  graph.nodes.push(...builder.nodes);
  graph.inputs = [...graph.inputs, ...[...named.values()].map((name) => ({ name, type: elementTypes.float32, dims: null }))];
  const session = await open(graph, [...gradients.values()]);
  const given = inputValues(small.inputs, 1, 3);
  const cotangents = Object.entries(seeds).map(([tensor, data]) => [
    `seed ${tensor}`,
    { type: elementTypes.float32, dims: [1, data.length], data: Float32Array.from(data) },
  ]);
  const results = await session.run({ ...given, ...Object.fromEntries(cotangents) });
  await session.release();
  const values = Object.fromEntries(
    [...gradients].map(([tensor, name]) => [tensor, [...(results[name]?.data ?? [])].map(Number)]),
  );
  return { names: [...gradients.values()], values };
}

test('contributions of all paths are summed, at every tensor that was asked for', async () => {
  const { names, values } = await run(chain, { y: [1, 10] }, ['x'], ['x', 'a', 'c', 'y']);
  expect(values).toEqual({ x: [8, 80], a: [2, 20], c: [2, 20], y: [1, 10] });
  expect(new Set(names).size).toBe(names.length);
});

test('cotangents at several tensors', async () => {
  const { values } = await run(chain, { y: [1, 10], a: [100, 1000] }, ['x'], ['x', 'a']);
  expect(values).toEqual({ x: [308, 3080], a: [102, 1020] });
});

test('tensors the seeds do not depend on have no entry', async () => {
  const { values } = await run(chain, { a: [1, 10] }, ['x'], ['x', 'a', 'c', 'aside', 'y', 'no such tensor']);
  expect(values).toEqual({ x: [3, 30], a: [1, 10] });
  expect((await run(chain, { y: [1, 10] }, ['a'], ['x', 'a'])).values).toEqual({ a: [2, 20] });
});

test('x σ(x) has one rule, and the sigmoid its own gradient when that is asked for', async () => {
  const swish: SmallGraph = {
    opset: 13,
    inputs: { x: { dims: ['T', 2] } },
    build: (b) => b.node('Mul', ['x', b.node('Sigmoid', ['x'], {}, { output: 's' })], {}, { output: 'y' }),
  };
  const alone = await run(swish, { y: [1, 10] }, ['x'], ['x']);
  const both = await run(swish, { y: [1, 10] }, ['x'], ['x', 's']);
  const values = [...inputValues(swish.inputs, 1, 3)['x']!.data].map(Number);
  values.forEach((value, i) => {
    const [seed, sigmoid] = [[1, 10][i]!, 1 / (1 + Math.exp(-value))];
    expect(both.values['s']![i]).toBeCloseTo(seed * value, 5);
    for (const found of [alone, both]) expect(found.values['x']![i]).toBeCloseTo(seed * sigmoid * (1 + value * (1 - sigmoid)), 5);
  });
});

test('nothing is written for paths that lead to nothing that was asked for', async () => {
  const { graph, probe } = await probedGraph(chain);
  const builder = new GraphBuilder(graph);
  differentiate(graph, probe, builder, { seeds: new Map([['y', 'seed']]), roots: ['x'], wanted: ['c'] });
  expect(builder.nodes.map(({ op }) => op)).toEqual(['Mul']);
});

describe('refusals name node, operator and reason', () => {
  const refused = async (small: Omit<SmallGraph, 'inputs'>) => {
    const { graph, output, probe } = await probedGraph({ ...small, inputs: { x: { dims: ['T', 3] } } });
    const node = graph.nodes[0]!;
    graph.nodes[0] = { ...node, name: 'node "A"\n' };
    const request = { seeds: new Map([[output, 'seed']]), roots: ['x'], wanted: ['x'] };
    return () => differentiate(graph, probe, new GraphBuilder(graph), request);
  };
  test.each([
    [
      'an operator without a rule',
      13,
      (b) => b.node('Tan', ['x']),
      /Tan \(node "node \\"A\\"\\n", tensor "small\/Tan_0"\); its derivative has no rule yet/,
    ],
    [
      'another domain',
      13,
      (b) => b.node('Inverse', [b.node('Reshape', ['x', b.ints(-1, 1, 1)])], {}, microsoft),
      /com\.microsoft:Inverse/,
    ],
    ['padding by reflection', 13, (b) => b.node('Pad', ['x', b.ints(0, 1, 0, 1)], { mode: 'reflect' }), /pads by reflect/],
    [
      'half precision',
      13,
      (b) => b.node('Cast', [b.node('Exp', [b.node('Cast', ['x'], { to: 10 })])], { to: 1 }),
      /Exp .*element type float16.*float32/,
    ],
    [
      'a sum of 8-bit numbers',
      13,
      (b) => {
        const unit = b.number(0.1);
        const zero = b.constant([], Uint8Array.of(128));
        const rounded = b.node('QuantizeLinear', ['x', unit, zero]);
        const sum = b.node('QLinearAdd', [rounded, unit, zero, rounded, unit, zero, unit, zero], {}, microsoft);
        return b.node('DequantizeLinear', [sum, unit, zero]);
      },
      /com\.microsoft:QLinearAdd/,
    ],
    ['an ellipsis', 13, (b) => b.node('Einsum', ['x', 'x'], { equation: '...i,...i->...' }), /ellipsis/],
    [
      'limits that are computed',
      13,
      (b) => b.node('Clip', ['x', b.node('ReduceMin', ['x'], { keepdims: 0 })]),
      /its limits depend on the input/,
    ],
    ['indices before opset 16', 13, (b) => b.node('GatherND', ['x', b.constant([1, 1], BigInt64Array.of(1n))]), /opset 16/],
    [
      'a mean that is used',
      17,
      (b) => {
        b.nodeWithOutputs('LayerNormalization', ['x', b.constant([3], Float32Array.of(1, 2, 3))], ['n', 'm'], {
          epsilon: float(1e-5),
        });
        return b.add('n', 'm');
      },
      /LayerNormalization .*further outputs/,
    ],
  ] as [string, number, (b: GraphBuilder) => string, RegExp][])('%s', async (_, opset, build, message) => {
    const action = await refused({ opset, build });
    expect(action).toThrow(expect.objectContaining({ code: 'E_GRADIENT_UNSUPPORTED' }) as Error);
    expect(action).toThrow(message);
  });

  test('a branch that reads what is differentiated', async () => {
    const action = await refused({
      opset: 13,
      build: (b) => {
        const branch = (name: string, op: string): AttributeValue => ({
          kind: 'graph',
          value: {
            nodes: [{ op, domain: '', name: '', inputs: ['x'], outputs: [name], attributes: new Map() }],
            initializers: new Map(),
            inputs: [],
            outputs: [{ name, type: elementTypes.float32, dims: null }],
          },
        });
        const condition = b.node('Greater', [b.node('ReduceSum', ['x'], { keepdims: 0 }), b.number(0)]);
        return b.node('If', [condition], { then_branch: branch('then', 'Exp'), else_branch: branch('else', 'Neg') });
      },
    });
    expect(action).toThrow(/through If \(/);
  });

  test('what the gradient does not pass is not asked for a rule', async () => {
    await checkGradients({
      opset: 13,
      inputs: { x: { dims: ['T', 3] } },
      build: (b) => b.multiply('x', b.node('Tan', [b.node('Floor', ['x'])])),
    });
  });
});

/** One step of a random network: from tensors [T, 4] to another. */
type Step = (b: GraphBuilder, x: string, y: string, pick: number) => string;
const matrix = (b: GraphBuilder, pick: number, ...dims: number[]) =>
  b.constant(
    dims,
    Float32Array.from({ length: dims.reduce((a, c) => a * c, 1) }, (_, i) => 0.7 * Math.sin(5 * i + pick)),
  );
const half = (b: GraphBuilder, x: string) => b.multiply(x, b.number(0.5));
const steps: readonly Step[] = [
  (b, x, y) => half(b, b.add(x, y)),
  (b, x, y) => b.node('Tanh', [b.multiply(x, y)]),
  (b, x, y) => b.subtract(x, half(b, y)),
  (b, x) => b.multiply(x, b.node('Sigmoid', [x])),
  (b, x, _y, pick) => b.matMul(x, matrix(b, pick, 4, 4)),
  (b, x, _y, pick) => b.node('Tanh', [b.node('Gemm', [x, matrix(b, pick, 4, 4), matrix(b, pick, 4)], { transB: 1 })]),
  (b, x) => b.node('Softmax', [x], { axis: -1 }),
  (b, x) => b.node('LayerNormalization', [x, b.constant([4], Float32Array.of(1, 0.5, 2, 1))], { epsilon: float(0.1) }),
  (b, x, y) => b.matMul(b.node('Softmax', [half(b, b.matMul(x, b.transpose(y, [1, 0])))], { axis: -1 }), x),
  (b, x, y) => {
    const [first = '', second = ''] = b.split(x, 1, [1, 3]);
    return b.node('Tanh', [b.add(b.node('Concat', [second, first], { axis: 1 }), y)]);
  },
  (b, x) => b.add(x, b.mean(x, [0])),
  (b, x) => b.reshape(b.transpose(b.reshape(x, [-1, 2, 2]), [0, 2, 1]), [-1, 4]),
  (b, x) => b.divide(x, b.add(b.node('ReduceL2', [x], { axes: [1] }), b.number(0.5))),
  (b, x) => b.node('Concat', [b.slice(x, 0, 1, Number.MAX_SAFE_INTEGER), b.slice(x, 0, 0, 1)], { axis: 0 }),
  (b, x, y) => b.node('Erf', [b.add(b.node('Gather', [x, b.int(-1)]), y)]),
  (b, x) => b.node('Sin', [b.node('Trilu', [x])]),
];

test('random networks of all of these', async () => {
  const step = fc.record({ which: fc.nat(steps.length - 1), x: fc.nat(20), y: fc.nat(20), pick: fc.nat(9) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), fc.constantFrom(1, 2, 4, 6), async (network, length) => {
      const small: SmallGraph = {
        opset: 17,
        inputs: { x: { dims: ['T', 4] }, y: { dims: ['T', 4] } },
        build: (b) => {
          // Both are always read.
          const known = ['x', 'y', half(b, b.subtract('x', 'y'))];
          for (const { which, x, y, pick } of network) {
            // The latest more often than others: deep rather than wide.
            const choose = (from: number) => known[from % 2 === 0 ? known.length - 1 : from % known.length] ?? 'x';
            known.push((steps[which] as Step)(b, choose(x), choose(y), pick));
          }
          return b.add(known.at(-1) ?? '', known[2] ?? '');
        },
      };
      await checkGradients(small, { length, tolerance: 2e-3 });
    }),
    { seed: 6, numRuns: 40 },
  );
});
