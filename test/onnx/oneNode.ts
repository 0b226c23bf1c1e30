/** Graphs of one fused operator over random constants, to compare what ONNX Runtime computes with what it is opened up into. */
import { elementTypes, type GraphTensor, type OnnxGraph } from '../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../src/onnx/graph/graphBuilder.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { createSession } from '../../src/onnx/runtime/session.ts';

/** Numbers in [−1, 1) that are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

export type Constant =
  | { readonly random: readonly number[]; readonly scale?: number }
  | { readonly int32: readonly number[]; readonly dims: readonly number[] }
  | { readonly int64: readonly number[]; readonly dims: readonly number[] }
  | { readonly uint8: readonly number[]; readonly dims: readonly number[] }
  | { readonly int8: readonly number[]; readonly dims: readonly number[] }
  | { readonly bool: readonly number[]; readonly dims: readonly number[] }
  | { readonly float: readonly number[]; readonly dims: readonly number[] };

export function emptyGraph(opset: number): OnnxGraph {
  return {
    nodes: [],
    initializers: new Map(),
    inputs: [],
    outputs: [],
    irVersion: 8,
    opsets: new Map([
      ['', opset],
      ['com.microsoft', 1],
    ]),
    folder: import.meta.dirname,
    functions: [],
  };
}

/** `inputs`: null where an optional input is left out. */
export function oneNode(
  op: string,
  domain: string,
  inputs: readonly (Constant | null)[],
  attributes: Parameters<GraphBuilder['node']>[2],
  outputs: readonly string[],
  opset = 23,
): OnnxGraph {
  const graph = emptyGraph(opset);
  const random = randomNumbers(7);
  const names = inputs.map((input, i) => {
    if (input === null) return '';
    const tensor = constantOf(`input_${i}`, input, random);
    graph.initializers.set(tensor.name, tensor);
    return tensor.name;
  });
  const builder = new GraphBuilder(graph);
  builder.nodeWithOutputs(op, names, outputs, attributes, domain);
  graph.nodes = builder.nodes;
  graph.outputs = outputs.filter((name) => name !== '').map((name) => ({ name, type: 0, dims: null }));
  return graph;
}

function constantOf(name: string, input: Constant, random: () => number): GraphTensor {
  const tensor = (type: number, dims: readonly number[], data: { readonly buffer: ArrayBufferLike }): GraphTensor => ({
    name,
    dims,
    type,
    bytes: new Uint8Array(data.buffer as ArrayBuffer),
    range: null,
  });
  if ('random' in input) {
    const count = input.random.reduce((product, size) => product * size, 1);
    return tensor(
      elementTypes.float32,
      input.random,
      Float32Array.from({ length: count }, () => random() * (input.scale ?? 1)),
    );
  }
  if ('int32' in input) return tensor(elementTypes.int32, input.dims, Int32Array.from(input.int32));
  if ('int64' in input) return tensor(elementTypes.int64, input.dims, BigInt64Array.from(input.int64, BigInt));
  if ('uint8' in input) return tensor(elementTypes.uint8, input.dims, Uint8Array.from(input.uint8));
  if ('int8' in input) return tensor(elementTypes.int8, input.dims, Int8Array.from(input.int8));
  if ('bool' in input) return tensor(elementTypes.bool, input.dims, Uint8Array.from(input.bool));
  return tensor(elementTypes.float32, input.dims, Float32Array.from(input.float));
}

/** All outputs, as the graph stands. */
export async function runGraph(graph: OnnxGraph, outputs: readonly string[]): Promise<Record<string, Float32Array>> {
  const session = await createSession(writeGraph(graph, { outputs }), graph.folder, {
    threads: 1,
    optimisation: 'disabled',
  });
  const results = await session.run({});
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.data as Float32Array]));
}
