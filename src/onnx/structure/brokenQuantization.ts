import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { elementTypes, type GraphNode, type GraphTensor, type OnnxGraph } from '../graph/graph.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';

/** Larger matrices are left alone: the smaller ones of the same file tell as much. */
const weightLimit = 4 * 1024 * 1024;

/**
 * Runs one product of 8-bit integers of the model on this processor and compares it with plain arithmetic. Processors with AVX2 and without VNNI add pairs of products in 16 bits:
 * files quantised to the full range of signed 8-bit weights (without `reduce_range`) overflow there and give garbage.
 * @returns what is wrong, in words; null: products are right, or the file has none of this kind
 * @throws E_ONNX_RUNTIME
 */
export async function brokenQuantization(graph: OnnxGraph, threads: number): Promise<string | null> {
  const weights = candidate(graph);
  if (weights === null) return null;
  const [rows = 0, columns = 0] = weights.dims;
  const bytes = weightBytes(graph, weights);
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  // Activations of the upper half, as after a shift by the zero point; the largest is where overflow begins.
  const activations = Uint8Array.from({ length: rows }, (_, i) => 255 - (i % 4));
  const product = await runtimeProduct(graph, weights, activations, threads);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (activations[row] ?? 0) * (signed[row * columns + column] ?? 0);
    if (sum === product[column]) continue;
    return (
      `products of 8-bit integers overflow on this processor: ${JSON.stringify(weights.name)} gives ${product[column]} where ${sum} is right; ` +
      'the file was quantised without reduce_range, and ONNX Runtime computes garbage with it here'
    );
  }
  return null;
}

/** The smallest matrix of signed weights in a product of integers; QAttention holds one. */
function candidate(graph: OnnxGraph): GraphTensor | null {
  const matrices = graph.nodes.flatMap(({ op, inputs }) => {
    const weights = op === 'MatMulInteger' || op === 'QAttention' ? graph.initializers.get(inputs[1] ?? '') : undefined;
    return weights?.type === elementTypes.int8 && weights.dims.length === 2 ? [weights] : [];
  });
  const size = ({ dims: [rows = 0, columns = 0] }: GraphTensor) => rows * columns;
  const [smallest] = matrices
    .filter((matrix) => size(matrix) <= weightLimit && size(matrix) > 0)
    .sort((a, b) => size(a) - size(b));
  return smallest ?? null;
}

function weightBytes({ folder }: OnnxGraph, { bytes, range }: GraphTensor): Uint8Array {
  if (bytes !== null || range === null) return bytes ?? new Uint8Array(0);
  const read = new Uint8Array(range.length);
  const descriptor = openSync(join(folder, range.file), 'r');
  try {
    readSync(descriptor, read, 0, range.length, range.offset);
  } finally {
    closeSync(descriptor);
  }
  return read;
}

async function runtimeProduct(
  graph: OnnxGraph,
  weights: GraphTensor,
  activations: Uint8Array,
  threads: number,
): Promise<ArrayLike<number | bigint>> {
  const node: GraphNode = {
    op: 'MatMulInteger',
    domain: '',
    name: '',
    inputs: ['a', weights.name],
    outputs: ['y'],
    attributes: new Map(),
  };
  const input = { name: 'a', type: elementTypes.uint8, dims: [1, activations.length] };
  const small: OnnxGraph = {
    ...graph,
    nodes: [node],
    initializers: new Map([[weights.name, weights]]),
    inputs: [input],
    outputs: [],
  };
  const session = await createSession(writeGraph(small, { outputs: ['y'] }), graph.folder, { threads });
  const value: TensorValue = { type: elementTypes.uint8, dims: [1, activations.length], data: activations };
  const { y } = await session.run({ a: value });
  await session.release();
  return y?.data ?? [];
}
