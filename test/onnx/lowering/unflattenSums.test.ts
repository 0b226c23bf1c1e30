/** Residual streams that an export flattens to rows, as OPT's are: sites have their shape again, and no number changes. */
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import type { GraphNode, OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { unflattenSums } from '../../../src/onnx/lowering/unflattenSums.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { recognise } from '../../../src/onnx/structure/recognise.ts';
import { modelFile } from '../fixture.ts';

const threads = 1;
const hidden = 64;

/** A fixture whose feed-forward blocks work on rows and add the stream there. */
async function flattened(): Promise<{ graph: OnnxGraph; sites: string[][] }> {
  const { graph, probe } = await prepareGraph(modelFile('gpt2_optimum_kv'), { precision: 'exact', threads });
  const { layers, neurons } = recognise(graph, probe);
  const builder = new GraphBuilder(graph, 'flat');
  const instead = new Map<string, GraphNode[]>();
  const add = (name: string) => instead.set(name, builder.nodes.splice(0));
  const sites = layers.map(({ residMid, mlpPost, mlpOut, residPost }) => [residMid, mlpPost, mlpOut, residPost].map(String));
  for (const [mid = '', post = '', out = '', sum = ''] of sites) {
    const bias = graph.nodes.find(({ outputs }) => outputs[0] === out);
    const [rowsOut = ''] = bias?.op === 'Reshape' ? bias.inputs : [];
    const product = graph.nodes.find(({ outputs }) => outputs[0] === rowsOut);
    if (product === undefined) throw new Error('the fixture has another form');
    // Not a Reshape itself, as an activation on rows is none.
    const rows = builder.node('Identity', [builder.node('Reshape', [post, builder.ints(-1, neurons ?? 0)])]);
    product.inputs = [rows, ...product.inputs.slice(1)];
    builder.nodes.push(product);
    add(rowsOut);
    const flat = builder.node('Add', [builder.node('Reshape', [mid, builder.ints(-1, hidden)]), rowsOut]);
    builder.node('Reshape', [flat, builder.ints(1, -1, hidden)], {}, { output: sum });
    add(sum);
  }
  graph.nodes = graph.nodes.flatMap((node) => instead.get(node.outputs[0] ?? '') ?? [node]);
  return { graph, sites };
}

async function logits(graph: OnnxGraph): Promise<unknown> {
  const probe = await probeRun(graph, { threads });
  const { output } = recognise(graph, probe);
  const session = await createSession(writeGraph(graph, { outputs: [output ?? ''] }), graph.folder, { threads });
  const long = (values: number[]) => ({ type: 7, dims: [1, values.length], data: BigInt64Array.from(values, BigInt) });
  const given: Record<string, ReturnType<typeof long>> = {
    input_ids: long([5, 17, 99, 3]),
    attention_mask: long([1, 1, 1, 1]),
    position_ids: long([0, 1, 2, 3]),
  };
  try {
    const feeds = Object.fromEntries(session.inputs.map((name) => [name, given[name] ?? long([])]));
    return (await session.run(feeds))[output ?? '']?.data;
  } finally {
    await session.release();
  }
}

test('sums of rows are taken on the stream itself', async () => {
  const { graph, sites } = await flattened();
  const before = await logits(graph);
  const probe = await probeRun(graph, { threads });
  expect(recognise(graph, probe).notes.join()).toContain('not found');
  expect(unflattenSums(graph, probe)).toBe(2);
  const structure = recognise(graph, await probeRun(graph, { threads }));
  expect(structure.notes).toEqual([]);
  expect(structure.neurons).toBe(256);
  for (const [index, [mid, , , post]] of sites.entries())
    expect(structure.layers[index]).toMatchObject({ residMid: mid, residPost: post });
  expect(await logits(graph)).toEqual(before);
});

test('other graphs are left alone', async () => {
  const { graph, probe } = await prepareGraph(modelFile('gpt2_optimum_kv'), { precision: 'exact', threads });
  const nodes = [...graph.nodes];
  expect(unflattenSums(graph, probe)).toBe(0);
  expect(graph.nodes).toEqual(nodes);
});
