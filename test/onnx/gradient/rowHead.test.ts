/** Logits at chosen rows, and gradients seeded there, against those of all rows. */
import { expect, test } from 'vitest';
import { differentiate } from '../../../src/onnx/gradient/differentiate.ts';
import { addRowHead } from '../../../src/onnx/gradient/rowHead.ts';
import { elementTypes } from '../../../src/onnx/graph/graph.ts';
import { float, GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import type { TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import { inputValues, open, probedGraph, type SmallGraph } from './smallGraph.ts';

const [tokens, hidden, vocabulary] = [6, 4, 5];
const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(3 * i + 1));

/** A layer that mixes positions, a norm, an unembedding with a bias, and a cap on the logits. */
const network: SmallGraph = {
  opset: 17,
  inputs: { x: { dims: [1, 'T', hidden] } },
  build: (b) => {
    const scores = b.node('Softmax', [b.matMul('x', b.transpose('x', [0, 2, 1]))], { axis: -1 });
    const mixed = b.node('MatMul', [scores, 'x'], {}, { output: 'residual' });
    const normed = b.node('LayerNormalization', [mixed, b.constant([hidden], waves(hidden))], { epsilon: float(0.1) });
    const logits = b.add(
      b.matMul(normed, b.constant([hidden, vocabulary], waves(hidden * vocabulary))),
      b.constant([vocabulary], waves(vocabulary)),
    );
    return b.multiply(b.node('Tanh', [b.multiply(logits, b.number(0.5))]), b.number(2));
  },
};

const tensor = (dims: number[], data: Float32Array): TensorValue => ({ type: elementTypes.float32, dims, data });

test('the same logits, and the same gradient', async () => {
  const { graph, output, probe } = await probedGraph(network);
  const builder = new GraphBuilder(graph);
  const head = addRowHead(graph, probe, builder, { hidden: 'residual', logits: output })!;
  const request = { roots: ['x'], wanted: ['x', 'residual'] };
  const byRow = differentiate(graph, head.probe, builder, { ...request, seeds: new Map([[head.logits, 'row seed']]) });
  const byAll = differentiate(graph, head.probe, builder, { ...request, seeds: new Map([[output, 'seed']]) });
  graph.nodes.push(...builder.nodes);
  const seedInput = (name: string) => ({ name, type: elementTypes.float32, dims: null });
  graph.inputs = [...graph.inputs, seedInput('row seed'), seedInput('seed')];

  // Row 4 twice: both parts count.
  const positions = [4, 1, 4];
  const rowSeed = waves(positions.length * vocabulary);
  const seed = new Float32Array(tokens * vocabulary);
  positions.forEach((position, row) => {
    for (let id = 0; id < vocabulary; id++) seed[position * vocabulary + id]! += rowSeed[row * vocabulary + id]!;
  });
  const session = await open(graph, [output, head.logits, ...byRow.values(), ...byAll.values()]);
  const results = await session.run({
    ...inputValues(network.inputs, tokens, 3),
    [head.positions]: { type: elementTypes.int64, dims: [3], data: BigInt64Array.from(positions, BigInt) },
    'row seed': tensor([1, 3, vocabulary], rowSeed),
    seed: tensor([1, tokens, vocabulary], seed),
  });
  await session.release();

  const all = results[output]!.data as Float32Array;
  const rows = results[head.logits]!;
  expect(rows.dims).toEqual([1, 3, vocabulary]);
  const expectClose = (actual: ArrayLike<unknown>, expected: ArrayLike<number>) => {
    expect(actual.length).toBe(expected.length);
    for (let i = 0; i < expected.length; i++) expect(Number(actual[i])).toBeCloseTo(expected[i]!, 5);
  };
  expectClose(
    rows.data,
    positions.flatMap((position) => [...all.slice(position * vocabulary, (position + 1) * vocabulary)]),
  );
  for (const wanted of request.wanted) {
    expectClose(results[byRow.get(wanted)!]!.data, results[byAll.get(wanted)!]!.data as Float32Array);
  }
});

test('no second unembedding where positions are mixed in between', async () => {
  const { graph, output, probe } = await probedGraph(network);
  const before = { nodes: [...graph.nodes], inputs: [...graph.inputs] };
  expect(addRowHead(graph, probe, new GraphBuilder(graph), { hidden: 'x', logits: output })).toBeNull();
  expect(addRowHead(graph, probe, new GraphBuilder(graph), { hidden: output, logits: 'residual' })).toBeNull();
  expect({ nodes: graph.nodes, inputs: graph.inputs }).toEqual(before);
});
