/** The stand-in that probes run, against the graph itself: same types and shapes of every tensor, no stored matrix read. */
import { expect, test } from 'vitest';
import { operatorKey } from '../../../src/onnx/graph/graph.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { probeGraph } from '../../../src/onnx/runtime/probeGraph.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { modelFile } from '../fixture.ts';

test.each([
  ['llama_torch_legacy', 'MatMul'],
  ['llama_q4_matmulnbits', 'com.microsoft:MatMulNBits'],
  ['bert_cls_optimum', 'MatMul'],
])('%s', async (name, product) => {
  const graph = readGraph(modelFile(name));
  const standIn = probeGraph(graph);
  const products = (nodes: typeof graph.nodes) => nodes.filter((node) => operatorKey(node) === product).length;
  expect(products(standIn.nodes)).toBeLessThan(products(graph.nodes));

  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((output) => output !== '');
  const forms = async (which: typeof graph) => {
    const bytes = writeGraph(which, { outputs });
    const session = await createSession(bytes, graph.folder, { threads: 1, optimisation: 'disabled' });
    const results = await session.run(feeds(graph.inputs, [3, 4, 5, 6, 7, 8], { headSize: 16 }));
    await session.release();
    return Object.fromEntries(Object.entries(results).map(([tensor, { type, dims }]) => [tensor, { type, dims }]));
  };
  expect(await forms(standIn)).toEqual(await forms(graph));
});
