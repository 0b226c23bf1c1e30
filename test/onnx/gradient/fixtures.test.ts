/**
 * Gradients of the fixtures against PyTorch: of one logit by the token embeddings, by the hidden states that enter each layer, and by
 * the attention probabilities. Inner tensors are found by what PyTorch says their values are, so nothing rests on names, and the
 * prompt is longer than those the graph was probed with.
 */
import { expect, test } from 'vitest';
import { differentiate } from '../../../src/onnx/gradient/differentiate.ts';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import type { Probe } from '../../../src/onnx/graph/probe.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import type { TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import { dialects, modelFile, onnxGolden, type OnnxGolden, relativeError } from '../fixture.ts';

const threads = 1;
const runs = dialects.flatMap(({ name, tolerance, exact }) => [
  { name, precision: 'asServed' as const, tolerance },
  ...(exact < tolerance ? [{ name, precision: 'exact' as const, tolerance: exact }] : []),
]);

test.each(runs)('$name, $precision', async ({ name, precision, tolerance }) => {
  const golden = onnxGolden(name);
  const { graph, probe } = await prepareGraph(modelFile(name), { precision, threads });
  const given = feeds(graph.inputs, golden.ids);
  const floats = graph.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((tensor) => probe.facts(tensor)?.type === elementTypes.float32);
  const values = await run(graph, given, floats);

  const embedding = tokenEmbedding(graph, probe);
  const tensors = new Map([['g_emb', embedding]]);
  for (let layer = 0; layer < golden.layers; layer++) {
    tensors.set(`gh${layer}`, bestMatch(values, golden.tensor(`h${layer}`), tolerance));
    tensors.set(`gp${layer}`, bestMatch(values, golden.tensor(`p${layer}`), tolerance));
  }
  const builder = new GraphBuilder(graph, 'gradient');
  const wanted = [...new Set(tensors.values())];
  const gradients = differentiate(graph, probe, builder, { seeds: new Map([['logits', 'seed']]), roots: [embedding], wanted });
  expect([...gradients.keys()].sort()).toEqual(wanted.sort());
  graph.nodes.push(...builder.nodes);
  graph.inputs = [...graph.inputs, { name: 'seed', type: elementTypes.float32, dims: null }];

  const logits = values['logits']!;
  const seed = new Float32Array(logits.data.length);
  seed[seed.length - (logits.dims.at(-1) ?? 0) + golden.targetToken] = 1;
  const results = await run(graph, { ...given, seed: { ...logits, data: seed } }, [...gradients.values()]);
  for (const [key, tensor] of tensors) {
    const actual = results[gradients.get(tensor)!]!.data as Float32Array;
    expect(relativeError(actual, golden.tensor(key).data), `${key} at ${tensor}`).toBeLessThan(tolerance);
  }
});

/** The first real numbers made of the token ids. */
function tokenEmbedding(graph: OnnxGraph, probe: Probe): string {
  const known = new Set(['input_ids']);
  for (const { op, inputs, outputs } of graph.nodes) {
    const [output = ''] = outputs;
    if (op === 'Shape' || !inputs.some((input) => known.has(input))) continue;
    const facts = probe.facts(output);
    if (facts?.type === elementTypes.float32 && facts.dims[0].length === 3) return output;
    known.add(output);
  }
  throw new Error('no embedding');
}

function bestMatch(values: Record<string, TensorValue>, golden: ReturnType<OnnxGolden['tensor']>, tolerance: number): string {
  const errors = Object.entries(values)
    .filter(([, { dims }]) => dims.join() === golden.shape.join())
    .map(([tensor, { data }]) => ({ tensor, error: relativeError(data as Float32Array, golden.data) }))
    .sort((a, b) => a.error - b.error);
  expect(errors[0]?.error).toBeLessThan(tolerance);
  return errors[0]!.tensor;
}

async function run(graph: OnnxGraph, given: Record<string, TensorValue>, outputs: readonly string[]) {
  const session = await createSession(writeGraph(graph, { outputs }), graph.folder, { threads });
  try {
    return await session.run(given);
  } finally {
    await session.release();
  }
}
