import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { elementTypes, type GraphTensor, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { brokenQuantization } from '../../../src/onnx/structure/brokenQuantization.ts';
import { modelFile } from '../fixture.ts';
import { emptyGraph } from '../oneNode.ts';

function product(weights: Int8Array, dims: readonly number[]): OnnxGraph {
  const graph = emptyGraph(18);
  const tensor: GraphTensor = {
    name: 'weights',
    dims,
    type: elementTypes.int8,
    bytes: new Uint8Array(weights.buffer),
    range: null,
  };
  graph.initializers.set('weights', tensor);
  const builder = new GraphBuilder(graph);
  builder.node('MatMulInteger', ['x', 'weights'], {});
  graph.nodes = builder.nodes;
  return graph;
}

// bert_cls_int8 has weights of the full range, so it is right on some processors only.
test.each(['llama_int8_dynamic', 'llama_optimum_kv'])('%s is right on every processor', async (name) => {
  expect(await brokenQuantization(readGraph(modelFile(name)), 1)).toBeNull();
});

test('weights of the full range are named where the processor adds pairs in 16 bits, and only there', async () => {
  const full = product(new Int8Array(64 * 32).fill(127), [64, 32]);
  // 255 · 127 · 2 does not fit into 16 bits; a processor with VNNI or an ARM one adds in 32.
  const flags = process.platform === 'linux' && process.arch === 'x64' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const message = await brokenQuantization(full, 1);
  if (/vnni/.test(flags)) expect(message).toBeNull();
  else if (/avx2/.test(flags))
    expect(message).toMatch(/overflow on this processor: "weights" gives -?\d+ where 2060448 is right/);
  const fixture = await brokenQuantization(readGraph(modelFile('bert_cls_int8')), 1);
  if (/vnni/.test(flags)) expect(fixture).toBeNull();
  else if (/avx2/.test(flags)) expect(fixture).toMatch(/"classifier.weight_Transposed_quantized" gives/);
  expect(await brokenQuantization(product(new Int8Array(64 * 32).fill(63), [64, 32]), 1)).toBeNull();
});
