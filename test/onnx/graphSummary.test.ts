/** What `models inspect` tells of a graph: what was opened up, what is fixed, what has no derivative, what is not known. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GraphNode } from '../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../src/onnx/graph/graphBuilder.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { dialects, modelFile } from './fixture.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-summary-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function infoOf(file: string) {
  const model = await openOnnxModel(file, { threads: 1, contextLength: 0 });
  const { info } = model;
  await model.dispose();
  return info;
}

const microsoft = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).map(([operator, count]) => ({ operator: `com.microsoft:${operator}`, count }));

/** Two layers each; what the exporters are known to write. */
const rows = [
  ['llama_optimum_kv', [], { writesAsItIs: true, fixedBatch: null }],
  ['llama_torch_legacy', [], { writesAsItIs: false, fixedBatch: null }],
  [
    'llama_torch_dynamo23_attention',
    [
      { operator: 'Attention', count: 2 },
      { operator: 'RotaryEmbedding', count: 4 },
    ],
    {},
  ],
  ['llama_fp16', [], { hasHalfFloats: true }],
  ['llama_genai_int4', microsoft({ GroupQueryAttention: 2, SkipSimplifiedLayerNormalization: 4 }), { writesAsItIs: true }],
  ['gpt2_ort_fused', microsoft({ FastGelu: 2, SkipLayerNormalization: 4 }), {}],
  ['bert_cls_ort_fused', microsoft({ Attention: 2, BiasGelu: 2, EmbedLayerNormalization: 1, SkipLayerNormalization: 4 }), {}],
  [
    'bert_cls_qattention',
    microsoft({ BiasGelu: 2, QAttention: 2, QEmbedLayerNormalization: 1, SkipLayerNormalization: 4 }),
    { writesAsItIs: false },
  ],
  ['batch_two', [], { fixedBatch: 2 }],
  ['merged_decoder', [{ operator: 'If', count: 1 }], { writesAsItIs: true, fixedBatch: null }],
] as const;

test.each(rows)('%s: %j', async (name, openedUp, others) => {
  const { graph } = await infoOf(modelFile(name));
  expect(graph).toMatchObject({ openedUp, hasHalfFloats: false, withoutGradient: [], unrecognised: [], ...others });
});

test('it counts the nodes of the file as they are, those of branches included', async () => {
  const inside = (nodes: readonly GraphNode[]): number =>
    nodes.reduce(
      (sum, { attributes }) =>
        [...attributes.values()].reduce(
          (total, { kind, value }) => (kind === 'graph' ? total + inside(value.nodes) : total),
          sum + 1,
        ),
      0,
    );
  const { nodes } = readGraph(modelFile('merged_decoder'));
  const { graph } = await infoOf(modelFile('merged_decoder'));
  expect(graph!.nodes.file).toBe(inside(nodes));
  expect(inside(nodes)).toBeGreaterThan(100);
});

test.each(dialects)('no node of $name stops a gradient', async ({ name }) => {
  const { graph, can } = await infoOf(modelFile(name));
  expect({ withoutGradient: graph!.withoutGradient, unrecognised: graph!.unrecognised, gradient: can.gradient }).toEqual({
    withoutGradient: [],
    unrecognised: [],
    gradient: true,
  });
});

/** Puts nodes behind the last MLP of a Llama: `Shrink` (no rule) twice, and `Einsum` with an ellipsis (a form without one). */
function writeObstructed(): string {
  copyFileSync(modelFile('llama_optimum_kv'), path.join(folder, 'weights.onnx'));
  const graph = readGraph(path.join(folder, 'weights.onnx'));
  const last = graph.nodes.findLast(({ op, inputs }) => op === 'MatMul' && inputs[1]?.startsWith('onnx::MatMul'))!;
  const builder = new GraphBuilder(graph, 'test');
  const [output = ''] = last.outputs;
  last.outputs = ['projected'];
  const once = builder.node('Shrink', ['projected'], {}, { output: 'shrunk' });
  const summed = builder.node('Einsum', [once], { equation: '...d->...d' });
  builder.node('Shrink', [summed], {}, { output });
  builder.nodes[0] = { ...builder.nodes[0]!, name: 'first shrink' };
  graph.nodes = graph.nodes.flatMap((node) => (node === last ? [node, ...builder.nodes] : [node]));
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, writeGraph(graph, { outputs: graph.outputs.map(({ name }) => name) }));
  return file;
}

test('operators without a rule are named by node and type, those in a form without one too, and the gradient is refused', async () => {
  const file = writeObstructed();
  const { graph, can } = await infoOf(file);
  expect(graph!.unrecognised).toEqual([{ operator: 'Shrink', count: 2 }]);
  expect(graph!.withoutGradient).toEqual([
    { operator: 'Shrink', count: 2, why: 'its derivative has no rule yet', nodes: ['first shrink', expect.any(String)] },
    { operator: 'Einsum', count: 1, why: expect.stringContaining('ellips') as string, nodes: ['test/Einsum_0'] },
  ]);
  expect(can).toMatchObject({ capture: true, patch: true, gradient: false });
  const model = await openOnnxModel(file, { threads: 1, contextLength: 0 });
  try {
    const targets = [{ kind: 'logit' as const, terms: [{ position: 1, id: 3, weight: 1 }] }];
    const request = { tokens: Int32Array.of(5, 6), targets, at: [{ kind: 'embed' as const }] };
    await expect(model.gradient(request)).rejects.toMatchObject({ code: 'E_GRADIENT_UNSUPPORTED' });
  } finally {
    await model.dispose();
  }
});
