/** The longest prompt of a model whose positions stand in a table, and inputs without a telling name. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { elementTypes } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { openOnnxModel } from '../../../src/onnx/openOnnxModel.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { DataFlow } from '../../../src/onnx/structure/dataFlow.ts';
import { positionRows } from '../../../src/onnx/structure/positionRows.ts';
import { modelFile } from '../fixture.ts';
import { emptyGraph } from '../oneNode.ts';

const options = { threads: 1, contextLength: 0 };

test.each([
  // A table of 34 rows; the first two stand for fillers.
  ['opt', 32],
  ['gpt2_optimum_kv', 128],
  ['electra', 32],
  ['bert_cls_ort_fused', 128],
])('%s reads %i tokens and no more', async (name, most) => {
  const model = await openOnnxModel(modelFile(name), options);
  try {
    expect(model.info.contextLength).toBe(most);
    const tokens = new Int32Array(most + 1).fill(5);
    const { logits } = await model.forward({ tokens: tokens.subarray(0, most), logits: 'last' });
    expect(logits?.values.every(Number.isFinite)).toBe(true);
    const layer = 0;
    const captured = await model.forward({
      tokens: tokens.subarray(0, most),
      capture: [{ site: { kind: 'resid_post', layer } }],
    });
    expect(captured.nonFinite).toBeNull();
    await expect(model.forward({ tokens })).rejects.toMatchObject({ code: 'E_CONTEXT_OVERFLOW' });
  } finally {
    await model.dispose();
  }
});

/** Positions out of the ids [1, tokens], int64. */
type Count = (builder: GraphBuilder) => string;
const ones: Count = (b) =>
  b.node('Cast', [b.node('Not', [b.node('Equal', ['input_ids', b.int(1)])])], { to: elementTypes.int64 });
const counted: Count = (b) => b.node('CumSum', [ones(b), b.int(1)]);

test.each<[string, Count, number]>([
  ['from the first row', (b) => b.subtract(counted(b), b.int(1)), 20],
  ['from the second row', counted, 19],
  ['behind the filler, as RoBERTa', (b) => b.add(b.multiply(counted(b), ones(b)), b.int(1)), 18],
  ['from the last row', (b) => b.subtract(b.int(19), b.subtract(counted(b), b.int(1))), 20],
])('positions counted %s', async (_, count, expected) => {
  const graph = emptyGraph(18);
  graph.inputs = [{ name: 'input_ids', type: elementTypes.int64, dims: [1, 'tokens'] }];
  const builder = new GraphBuilder(graph);
  const rows = (number: number) => builder.constant([number, 8], new Float32Array(8 * number));
  const embedding = builder.node('Gather', [rows(50), 'input_ids']);
  const sum = builder.add(embedding, builder.node('Gather', [rows(20), count(builder)]));
  graph.nodes = builder.nodes;
  graph.outputs = [{ name: sum, type: elementTypes.float32, dims: null }];
  const probe = await probeRun(graph, { threads: 1 });
  expect(positionRows(new DataFlow(graph), probe, embedding, 8)).toBe(expected);
});

test('a model whose only input is called x is read as any other', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'loupe-input-'));
  try {
    const file = modelFile('llama_torch_legacy');
    cpSync(file, path.join(folder, 'model.onnx'));
    const graph = readGraph(file);
    const rename = (name: string) => (name === 'input_ids' ? 'x' : name);
    graph.inputs = graph.inputs.map((input) => ({ ...input, name: rename(input.name) }));
    graph.nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) }));
    const renamed = path.join(folder, 'renamed.onnx');
    writeFileSync(renamed, writeGraph(graph, { outputs: ['logits'] }));
    const tokens = Int32Array.of(5, 6, 7, 8);
    const results = [];
    for (const each of [file, renamed]) {
      const model = await openOnnxModel(each, options);
      const capture = [{ site: { kind: 'pattern' as const, layer: 1 } }];
      const { logits, captured } = await model.forward({ tokens, logits: 'all', capture });
      results.push({ logits, captured, can: model.info.can, notes: model.info.notes.length });
      await model.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
