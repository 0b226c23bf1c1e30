/**
 * Small graphs that ONNX Runtime runs, and their gradients against central differences. The graphs are probed at two lengths and
 * differentiated, and the gradient is checked at a third.
 */
import { expect } from 'vitest';
import type { GradientRules } from '../../../src/model/gradient.ts';
import { differentiate } from '../../../src/onnx/gradient/differentiate.ts';
import { secondRun } from '../../../src/onnx/gradient/secondRun.ts';
import { elementTypes, type GraphTensor, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import type { Probe, TensorFacts } from '../../../src/onnx/graph/probe.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { createSession, type OnnxSession } from '../../../src/onnx/runtime/session.ts';
import { dataFromBytes, type TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import { emptyGraph, randomNumbers } from '../oneNode.ts';

export type Dims = readonly (number | 'T')[];

export interface SmallInput {
  readonly dims: Dims;
  /** Numbers between 0.5 and 2.5 instead of −2 to 2. */
  readonly positive?: boolean;
  /** Whole numbers [0, …) instead: an int64 input, not differentiated. */
  readonly whole?: (index: number, length: number) => number;
}

export interface SmallGraph {
  readonly opset: number;
  readonly inputs: Readonly<Record<string, SmallInput>>;
  /** Writes the nodes; returns the tensor that is differentiated. */
  readonly build: (builder: GraphBuilder) => string;
}

const probedLengths = [5, 7] as const;
export const checkedLength = 4;

/** The graph without gradients, its output, and what two runs showed of it. */
export async function probedGraph(
  { opset, inputs, build }: SmallGraph,
  lengths: readonly [number, number] = probedLengths,
): Promise<{ graph: OnnxGraph; output: string; probe: Probe }> {
  const graph = emptyGraph(opset);
  graph.inputs = Object.entries(inputs).map(([name, { dims, whole }]) => ({
    name,
    type: whole === undefined ? elementTypes.float32 : elementTypes.int64,
    dims,
  }));
  const builder = new GraphBuilder(graph, 'small');
  const output = build(builder);
  graph.nodes.push(...builder.nodes);
  const probe = await probeSmall(graph, (length) => inputValues(inputs, length, 1), lengths);
  return { graph, output, probe };
}

/** A seeded shuffle of distinct numbers, so that no two elements tie and none is at 0. */
export function inputValues(inputs: SmallGraph['inputs'], length: number, seed: number): Record<string, TensorValue> {
  const random = randomNumbers(seed);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dims, positive, whole }], place): [string, TensorValue] => {
      const sizes = dims.map((size) => (size === 'T' ? length : size));
      const count = sizes.reduce((product, size) => product * size, 1);
      if (whole !== undefined) {
        const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(whole(i, length)));
        return [name, { type: elementTypes.int64, dims: sizes, data }];
      }
      const order = Array.from({ length: count }, (_, i) => ({ i, key: random() })).sort((a, b) => a.key - b.key);
      const data = Float32Array.from(order, ({ i }) => {
        const unit = (i + 0.5 + 0.17 * place) / count; // inputs do not tie with each other either
        return positive === true ? 0.5 + 2 * unit : 4 * unit - 2;
      });
      return [name, { type: elementTypes.float32, dims: sizes, data }];
    }),
  );
}

async function probeSmall(
  graph: OnnxGraph,
  values: (length: number) => Record<string, TensorValue>,
  lengths: readonly [number, number] = probedLengths,
): Promise<Probe> {
  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== '');
  const session = await open(graph, outputs, 'disabled');
  const [first, second] = [await seen(session, values(lengths[0])), await seen(session, values(lengths[1]))];
  await session.release();
  const facts = new Map<string, TensorFacts>();
  for (const [name, a] of first) {
    const b = second.get(name)!;
    facts.set(name, {
      type: a.type,
      dims: [a.dims, b.dims],
      values: a.values === null || b.values === null ? null : [a.values, b.values],
    });
  }
  return { lengths, facts: (tensor) => facts.get(tensor) ?? constantFacts(graph.initializers.get(tensor)) };
}

async function seen(session: OnnxSession, given: Record<string, TensorValue>) {
  const results = { ...given, ...(await session.run(given)) };
  return new Map(
    Object.entries(results).map(([name, { type, dims, data }]) => [name, { type, dims, values: small(type, data) }]),
  );
}

function small(type: number, data: TensorValue['data'] | null): number[] | null {
  if (data === null || data.length > 64) return null;
  const whole = ([elementTypes.int64, elementTypes.int32, elementTypes.bool, elementTypes.uint8] as number[]).includes(type);
  return whole ? Array.from(data, Number) : null;
}

function constantFacts(tensor: GraphTensor | undefined): TensorFacts | undefined {
  if (tensor === undefined) return undefined;
  const values = small(tensor.type, tensor.bytes === null ? null : dataFromBytes(tensor.type, tensor.bytes));
  return { type: tensor.type, dims: [tensor.dims, tensor.dims], values: values === null ? null : [values, values] };
}

export function open(
  graph: OnnxGraph,
  outputs: readonly string[],
  optimisation: 'disabled' | 'all' = 'all',
): Promise<OnnxSession> {
  const bytes = writeGraph(graph, { outputs: [...new Set(outputs)] });
  return createSession(bytes, graph.folder, { threads: 1, optimisation });
}

export interface Differentiated {
  readonly graph: OnnxGraph;
  readonly output: string;
  /** Input → name of its gradient. */
  readonly gradients: Map<string, string>;
}

/** The graph with its gradients by every float input; its cotangent is the input `seed`. */
export async function differentiated(small: SmallGraph): Promise<Differentiated> {
  const { graph, output, probe } = await probedGraph(small);
  const wanted = Object.keys(small.inputs).filter((name) => small.inputs[name]?.whole === undefined);
  const builder = new GraphBuilder(graph);
  const gradients = differentiate(graph, probe, builder, { seeds: new Map([[output, 'seed']]), roots: wanted, wanted });
  graph.nodes.push(...builder.nodes);
  graph.inputs = [...graph.inputs, { name: 'seed', type: elementTypes.float32, dims: null }];
  return { graph, output, gradients };
}

export interface CheckOptions {
  readonly length?: number;
  readonly seed?: number;
  /** Of the largest derivative, or of 1 where all are smaller. */
  readonly tolerance?: number;
}

/** Every element of every gradient against central differences of fourth order. */
export async function checkGradients(small: SmallGraph, options: CheckOptions = {}): Promise<void> {
  const { length = checkedLength, seed = 3, tolerance = 1e-3 } = options;
  const { graph, output, gradients } = await differentiated(small);
  const given = inputValues(small.inputs, length, seed);
  const forward = await open({ ...graph, inputs: graph.inputs.filter(({ name }) => name !== 'seed') }, [output]);
  const backward = await open(graph, [output, ...gradients.values()]);
  try {
    expect([...gradients.keys()]).toEqual(Object.keys(given).filter((name) => given[name]?.type === elementTypes.float32));
    const result = (await forward.run(given))[output]!;
    const random = randomNumbers(seed + 1);
    const cotangent = Float32Array.from({ length: result.data.length }, () => random());
    const values = await backward.run({ ...given, seed: { ...result, data: cotangent } });
    for (const [input, gradient] of gradients) {
      const actual = values[gradient]!;
      expect(actual.dims, `shape of the gradient of ${input}`).toEqual(given[input]?.dims);
      const expected = await centralDifferences(forward, output, given, input, cotangent);
      const scale = Math.max(1, ...expected.map(Math.abs));
      for (let i = 0; i < expected.length; i++) {
        const distance = Math.abs(Number(actual.data[i]) - (expected[i] as number)) / scale;
        expect(distance, `${input}[${i}]: ${Number(actual.data[i])} ${expected[i]}`).toBeLessThan(tolerance);
      }
    }
  } finally {
    await forward.release();
    await backward.release();
  }
}

/** d ⟨cotangent, output⟩ / d input, element by element: (8 (f₁ − f₋₁) − (f₂ − f₋₂)) / 12 h. */
async function centralDifferences(
  session: OnnxSession,
  output: string,
  given: Record<string, TensorValue>,
  input: string,
  cotangent: Float32Array,
): Promise<number[]> {
  const value = given[input]!;
  const step = 2 ** -7;
  const slopes: number[] = [];
  for (let i = 0; i < value.data.length; i++) {
    let slope = 0;
    for (const [by, weight] of [
      [-2, 1 / 12],
      [-1, -8 / 12],
      [1, 8 / 12],
      [2, -1 / 12],
    ] as const) {
      const moved = Float32Array.from(value.data as Float32Array);
      moved[i] = (moved[i] as number) + by * step;
      const { data } = (await session.run({ ...given, [input]: { ...value, data: moved } }))[output]!;
      for (let k = 0; k < cotangent.length; k++) slope += ((cotangent[k] as number) * Number(data[k]) * weight) / step;
    }
    slopes.push(slope);
  }
  return slopes;
}

/** The gradient by the input `x`, by other rules; `y0` is the output on the reference input, of the rules `rescale`. */
export async function byRules(small: SmallGraph, rules: GradientRules, length = checkedLength) {
  const { graph, output, probe } = await probedGraph(small);
  const second = rules === 'rescale' ? secondRun(graph, 'x', 'reference') : null;
  const builder = new GraphBuilder(graph);
  const request = { seeds: new Map([[output, 'seed']]), roots: ['x'], wanted: ['x'], rules };
  const found = differentiate(graph, probe, builder, { ...request, ...(second === null ? {} : { reference: second.tensor }) });
  graph.nodes.push(...(second?.nodes ?? []), ...builder.nodes);
  const floatInput = (name: string) => ({ name, type: elementTypes.float32, dims: null });
  graph.inputs = [...graph.inputs, floatInput('seed'), ...(second === null ? [] : [floatInput('reference')])];
  const names = { y: output, y0: second?.tensor(output) ?? output, slope: found.get('x') ?? '' };
  const session = await open(graph, Object.values(names));
  const x = inputValues(small.inputs, length, 3)['x']!;
  const reference = inputValues(small.inputs, length, 4)['x']!;
  const forward = await open({ ...graph, inputs: graph.inputs.slice(0, 1) }, [output]);
  const shape = (await forward.run({ x }))[output]!;
  await forward.release();
  const random = randomNumbers(5);
  const seed = { ...shape, data: Float32Array.from({ length: shape.data.length }, () => random()) };
  const results = await session.run({ x, seed, ...(second === null ? {} : { reference }) });
  await session.release();
  const values = (name: string) => results[name]!.data as Float32Array;
  return {
    x: x.data as Float32Array,
    x0: reference.data as Float32Array,
    y: values(names.y),
    y0: values(names.y0),
    slope: values(names.slope),
    seed: seed.data,
  };
}
