/** Every dialect opened up and simplified: equal logits at several lengths, and no fused operator left. */
import { expect, test } from 'vitest';
import { elementTypes, operatorKey, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { loweringRules } from '../../../src/onnx/lowering/loweringRules.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { dialects, modelFile, onnxGolden, relativeError } from '../fixture.ts';

const threads = 1;

async function logitsOf(graph: OnnxGraph, ids: readonly number[]): Promise<Float32Array> {
  // As in the file: optimisation may quantise elsewhere, and 8-bit activations turn a last bit into a step. It is needed for 16-bit floats.
  const optimisation = [...graph.initializers.values()].some(({ type }) => type === elementTypes.float16) ? 'all' : 'disabled';
  const session = await createSession(writeGraph(graph, { outputs: ['logits'] }), graph.folder, { threads, optimisation });
  const { logits } = await session.run(feeds(graph.inputs, ids, { headSize: 16 }));
  await session.release();
  return logits!.data as Float32Array;
}

const prompts = [[3], [9, 8, 7], Array.from({ length: 33 }, (_, i) => (i * 37) % 300)];
/** 16-bit floats are computed in 32 bits instead; a rounding of 8-bit activations that falls the other way is a step. */
const tolerances: Readonly<Record<string, number>> = {
  llama_fp16: 5e-3,
  llama_genai_int4: 2e-2,
  llama_int8_dynamic: 5e-2,
  bert_cls_int8: 5e-2,
};

test.each(dialects)('$name: logits stay equal', async ({ name }) => {
  const { graph, lowered } = await prepareGraph(modelFile(name), { precision: 'asServed', threads });
  const original = readGraph(modelFile(name));
  const errors = [];
  for (const ids of prompts) {
    errors.push(relativeError(await logitsOf(graph, ids), await logitsOf(original, ids)));
  }
  expect(Math.max(...errors)).toBeLessThan(tolerances[name] ?? 1e-5);
  expect(
    graph.nodes.filter((node) => loweringRules.has(operatorKey(node)) && operatorKey(node) !== 'com.microsoft:FastGelu'),
  ).toEqual([]);
  expect(graph.inputs.map((input) => input.name).filter((input) => /past/.test(input))).toEqual([]);
  expect(graph.nodes.length).toBeLessThan(original.nodes.length + 40 * lowered.length);
});

test('exact precision of 4-bit weights agrees with PyTorch on the dequantised weights', async () => {
  const name = 'llama_genai_int4';
  const { graph } = await prepareGraph(modelFile(name), { precision: 'exact', threads });
  const golden = onnxGolden(name);
  expect(relativeError(await logitsOf(graph, golden.ids), golden.tensor('logits').data)).toBeLessThan(1e-4);
});
