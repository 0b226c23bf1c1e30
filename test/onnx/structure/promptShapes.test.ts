/** Axes as long as the prompt: what is claimed of each operator, and that it is so at lengths no probe saw. */
import { describe, expect, test } from 'vitest';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { promptShapes } from '../../../src/onnx/structure/promptShapes.ts';
import { dialects, modelFile } from '../fixture.ts';
import { emptyGraph } from '../oneNode.ts';

const threads = 1;
const families = ['bloom', 'electra', 'gemma2', 'mobilebert', 'opt', 'loop_layers', 'parallel_mha', 'batch_two'];

/** `tokens,?,4`, of the tensor that `write` makes of x [1, tokens, 4]. */
async function claimed(write: (builder: GraphBuilder, x: string) => string): Promise<string> {
  const graph = emptyGraph(18);
  graph.inputs = [{ name: 'input_ids', type: elementTypes.int64, dims: ['batch', 'length'] }];
  const builder = new GraphBuilder(graph);
  const table = builder.constant([50, 4], new Float32Array(200));
  const written = write(builder, builder.node('Gather', [table, 'input_ids']));
  graph.nodes = builder.nodes;
  graph.outputs = [{ name: written, type: elementTypes.float32, dims: null }];
  const { known } = promptShapes(graph, await probeRun(graph, { threads }));
  return (
    known
      .find(({ name }) => name === written)
      ?.dims?.map((dim) => (dim === '' ? '?' : dim))
      .join() ?? 'nothing'
  );
}

/** Of the prompt's length, but only found out by running: [tokens, tokens] of zeros. */
function square(builder: GraphBuilder): string {
  const length = builder.slice(builder.shape('input_ids'), 0, 1, 2);
  return builder.node('ConstantOfShape', [builder.node('Concat', [length, length], { axis: 0 })]);
}

const T = 'loupe/tokens';
test.each<[string, (builder: GraphBuilder, x: string) => string, string]>([
  ['an embedding', (_, x) => x, `?,${T},?`],
  ['a sum with a constant', (b, x) => b.add(x, b.number(1)), `?,${T},?`],
  ['what is computed from the shape', (b) => square(b), 'nothing'],
  ['scores', (b, x) => b.node('MatMul', [x, b.transpose(x, [0, 2, 1])]), `?,${T},${T}`],
  ['scores under a mask', (b, x) => b.add(b.node('MatMul', [x, b.transpose(x, [0, 2, 1])]), square(b)), `?,${T},${T}`],
  ['a softmax', (b, x) => b.node('Softmax', [x]), `?,${T},?`],
  ['a product with weights', (b, x) => b.node('MatMul', [x, b.constant([4, 6], new Float32Array(24))]), `?,${T},?`],
  ['rows one by one', (b, x) => b.reshape(x, [-1, 4]), 'nothing'],
  ['heads', (b, x) => b.reshape(x, [0, 0, 2, 2]), `?,${T},?,?`],
  ['heads first', (b, x) => b.transpose(b.reshape(x, [0, 0, 2, 2]), [0, 2, 1, 3]), `?,?,${T},?`],
  ['a new axis', (b, x) => b.unsqueeze(x, [1]), `?,?,${T},?`],
  ['an axis from the end', (b, x) => b.unsqueeze(x, [-1]), `?,${T},?,?`],
  ['half of each row', (b, x) => b.slice(x, 2, 0, 2), `?,${T},?`],
  ['three tokens', (b, x) => b.slice(x, 1, 0, 3), 'nothing'],
  ['a mean of each row', (b, x) => b.mean(x, [-1]), `?,${T},?`],
  ['a mean over tokens', (b, x) => b.mean(x, [1]), 'nothing'],
  ['a sum over no axes, which are all', (b, x) => b.node('ReduceSum', [x, b.ints()]), 'nothing'],
  ['a mean without its axis', (b, x) => b.mean(x, [1], false), 'nothing'],
  ['side by side', (b, x) => b.node('Concat', [x, x], { axis: -1 }), `?,${T},?`],
  ['one behind the other', (b, x) => b.node('Concat', [x, x], { axis: 1 }), 'nothing'],
  ['widened', (b, x) => b.node('Expand', [b.unsqueeze(x, [0]), b.ints(3, 1, 1, 1)]), `?,?,${T},?`],
])('%s', async (_, write, expected) => {
  expect(await claimed(write)).toBe(expected);
});

describe.each([...dialects.map(({ name }) => name), ...families])('%s', (name) => {
  test('at other lengths', async () => {
    const { graph, probe } = await prepareGraph(modelFile(name), { precision: 'asServed', threads });
    const { inputs, known } = promptShapes(graph, probe);
    expect(known.length).toBeGreaterThan(0);
    const names = known.map((value) => value.name);
    const session = await createSession(writeGraph(graph, { outputs: names }), graph.folder, {
      threads,
      optimisation: 'disabled',
    });
    try {
      for (const length of [1, 2, 31]) {
        const ids = Array.from({ length }, (_, index) => 3 + ((index * 7) % 60));
        const results = await session.run(feeds(graph.inputs, ids));
        for (const { name: tensor, dims } of known)
          for (const [axis, dim] of (dims ?? []).entries())
            if (dim === T) expect(results[tensor]?.dims[axis], `${tensor} ${axis}`).toBe(length);
      }
      expect(Object.entries(feeds(inputs, [3, 4])).map(shapeOf)).toEqual(
        Object.entries(feeds(graph.inputs, [3, 4])).map(shapeOf),
      );
    } finally {
      await session.release();
    }
  });

  test('the same bits with and without what is known', async () => {
    const { graph, probe } = await prepareGraph(modelFile(name), { precision: 'asServed', threads });
    const { inputs, known } = promptShapes(graph, probe);
    const output = graph.outputs.find(({ name: found }) => probe.facts(found)?.type === elementTypes.float32)?.name ?? '';
    const plain = await outputsOf(graph, { outputs: [output] });
    expect(await outputsOf(graph, { inputs, known, outputs: [output] })).toEqual(plain);
  });
});

function shapeOf([name, { dims }]: [string, { readonly dims: readonly number[] }]): unknown {
  return [name, dims];
}

async function outputsOf(graph: OnnxGraph, request: Parameters<typeof writeGraph>[1]): Promise<unknown> {
  const session = await createSession(writeGraph(graph, request), graph.folder, { threads, fusesSums: false });
  try {
    const results = [];
    for (const length of [1, 2, 31]) {
      const ids = Array.from({ length }, (_, index) => 3 + ((index * 7) % 60));
      results.push(Object.values(await session.run(feeds(graph.inputs, ids))));
    }
    return results;
  } finally {
    await session.release();
  }
}
