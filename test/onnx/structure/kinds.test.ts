/** What a model is for, told by its outputs; and graphs that are no transformer. */
import { expect, test } from 'vitest';
import { elementTypes } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { recognise } from '../../../src/onnx/structure/recognise.ts';
import { modelFile } from '../fixture.ts';
import { emptyGraph } from '../oneNode.ts';

const threads = 1;
const float = (name: string) => ({ name, type: elementTypes.float32, dims: null });

test('hidden states or a pooled vector make a sentence encoder', async () => {
  const { graph, probe } = await prepareGraph(modelFile('bert_cls_optimum'), { precision: 'exact', threads });
  const states = recognise(graph, probe).layers.at(-1)?.residPost ?? '';
  graph.outputs = [float(states)];
  expect(recognise(graph, probe)).toMatchObject({
    kind: 'sentence-encoder',
    output: states,
    finalNorm: null,
    vocabulary: 320,
    notes: [],
  });

  const builder = new GraphBuilder(graph, 'test');
  const pooled = builder.mean(states, [1], false);
  graph.nodes = [...graph.nodes, ...builder.nodes];
  graph.outputs = [float(states), float(pooled)];
  expect(recognise(graph, await probeRun(graph, { threads }))).toMatchObject({ kind: 'sentence-encoder', output: pooled });
});

test('a model that fills gaps is none that continues a text', async () => {
  const { graph, probe } = await prepareGraph(modelFile('llama_torch_legacy'), { precision: 'exact', threads });
  graph.inputs = [...graph.inputs, { name: 'token_type_ids', type: elementTypes.int64, dims: [1, 'tokens'] }];
  const structure = recognise(graph, probe);
  expect(structure).toMatchObject({ kind: 'unknown', output: 'logits', notes: ['it predicts masked tokens, not the next one'] });
  expect(structure.layers.length).toBe(2);
});

test('a graph without an embedding, and one without attention, say so', async () => {
  const graph = emptyGraph(18);
  graph.inputs = [{ name: 'input_ids', type: elementTypes.int64, dims: [1, 'tokens'] }];
  const builder = new GraphBuilder(graph);
  const plain = builder.castToFloat('input_ids');
  graph.nodes = [...builder.nodes];
  graph.outputs = [float(plain)];
  expect(recognise(graph, await probeRun(graph, { threads }))).toMatchObject({
    kind: 'unknown',
    embedding: null,
    notes: [expect.stringContaining('no embedding')],
  });

  const table = builder.constant(
    [32, 4],
    Float32Array.from({ length: 128 }, (_, i) => i),
  );
  const rows = builder.node('Gather', [table, 'input_ids']);
  const output = builder.mean(rows, [1], false);
  graph.nodes = builder.nodes;
  graph.outputs = [float(output)];
  expect(recognise(graph, await probeRun(graph, { threads }))).toMatchObject({
    kind: 'sentence-encoder',
    embedding: rows,
    layers: [],
    vocabulary: 32,
    hidden: 4,
    notes: [expect.stringContaining('no attention')],
  });
});
