/** The order of nodes in a written file; an operator stands there as field 4 (a quotation mark), its length and its name. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { emptyGraph } from '../oneNode.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'loupe-heavy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const columns = 2 ** 21;
const bytes = 4 * 4 * columns;

/** x [1, 4] → 2x → a product with 32 MB of zeros that stand in a file. */
function heavyGraph(): OnnxGraph {
  const file = 'weights.bin';
  writeFileSync(path.join(folder, file), '');
  truncateSync(path.join(folder, file), bytes);
  const graph = {
    ...emptyGraph(18),
    folder,
    inputs: [{ name: 'x', type: elementTypes.float32, dims: [1, 4] }],
    outputs: [{ name: 'y', type: elementTypes.float32, dims: null }],
  };
  const range = { file, offset: 0, length: bytes };
  graph.initializers.set('w', { name: 'w', dims: [4, columns], type: elementTypes.float32, bytes: null, range });
  const builder = new GraphBuilder(graph);
  builder.node('MatMul', [builder.add('x', 'x'), 'w'], {}, { output: 'y' });
  return { ...graph, nodes: builder.nodes };
}

test.each([
  [false, ['Add', 'MatMul']],
  [true, ['MatMul', 'Add']],
])('heaviest first: %s', async (heaviestFirst, order) => {
  const graph = heavyGraph();
  const written = writeGraph(graph, { outputs: ['y'], heaviestFirst });
  const place = (operator: string) => Buffer.from(written).indexOf(`"${String.fromCharCode(operator.length)}${operator}`);
  expect(['Add', 'MatMul'].sort((a, b) => place(a) - place(b))).toEqual(order);
  const session = await createSession(written, folder, { threads: 1 });
  try {
    const { y } = await session.run({ x: { type: elementTypes.float32, dims: [1, 4], data: new Float32Array(4) } });
    expect(y?.dims).toEqual([1, columns]);
  } finally {
    await session.release();
  }
});
