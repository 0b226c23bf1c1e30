/** Files whose wire format is right and whose graph is not: refused with a code when they are opened, without a path of this machine. */
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OnnxGraph } from '../../src/onnx/graph/graph.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { LoupeError } from '../../src/shared/errors.ts';
import { modelFile } from './fixture.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-hostile-'));
  copyFileSync(modelFile('llama_genai_fp32'), path.join(folder, 'weights.onnx'));
  copyFileSync(`${modelFile('llama_genai_fp32')}.data`, path.join(folder, 'model.onnx.data'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refusal(file: string): Promise<string> {
  try {
    await (await openOnnxModel(file, { threads: 1, contextLength: 0 })).dispose();
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
    expect(error.message).not.toContain(os.tmpdir());
    expect(error.message).not.toContain(path.basename(folder));
    return `${error.code} ${error.message}`;
  }
  return 'opened';
}

/** The fixture with a change. */
function changed(edit: (graph: OnnxGraph) => void): string {
  const graph = readGraph(path.join(folder, 'weights.onnx'));
  edit(graph);
  const file = path.join(folder, 'changed.onnx');
  writeFileSync(file, writeGraph(graph, { outputs: graph.outputs.map(({ name }) => name) }));
  return file;
}

const nodeOf = (graph: OnnxGraph, op: string) => graph.nodes.find((node) => node.op === op)!;

test.each<[string, (graph: OnnxGraph) => void, RegExp]>([
  ['nothing', () => undefined, /^opened$/],
  ['an operator nobody has', (graph) => Object.assign(nodeOf(graph, 'MatMul'), { op: 'Evil' }), /^E_ONNX_RUNTIME/],
  ['a domain nobody has', (graph) => Object.assign(nodeOf(graph, 'MatMul'), { domain: 'evil' }), /^E_ONNX_RUNTIME/],
  [
    'a product with itself',
    (graph) => nodeOf(graph, 'MatMul').inputs.splice(0, 1, nodeOf(graph, 'MatMul').inputs[1]!),
    /^E_ONNX_/,
  ],
  [
    'an absurd number of heads',
    (graph) => nodeOf(graph, 'GroupQueryAttention').attributes.set('num_heads', { kind: 'int', value: 2 ** 40 }),
    /^E_ONNX_/,
  ],
  ['no heads', (graph) => nodeOf(graph, 'GroupQueryAttention').attributes.delete('num_heads'), /^E_ONNX_/],
  [
    'a mask that has no name to be known by, or a second text',
    (graph) => {
      graph.inputs = [...graph.inputs, { name: 'input.3', type: 7, dims: [1, 'tokens'] }];
    },
    /^E_ONNX_UNSUPPORTED.*"input_ids" and "input\.3" both seem to take token ids/,
  ],
  [
    'an input of unknown purpose',
    (graph) => graph.inputs.push({ name: 'pixels', type: 1, dims: [1, 3, 224, 224] }),
    /^E_ONNX_UNSUPPORTED/,
  ],
  ['a fixed prompt', (graph) => graph.inputs.splice(0, 1, { ...graph.inputs[0]!, dims: [1, 128] }), /^E_ONNX_UNSUPPORTED/],
  [
    'an absurd batch',
    (graph) => graph.inputs.splice(0, 1, { ...graph.inputs[0]!, dims: [2 ** 50, 'tokens'] }),
    /^E_ONNX_UNSUPPORTED/,
  ],
])('%s', async (_, edit, expected) => {
  expect(await refusal(changed(edit))).toMatch(expected);
});

test('weights that were cut off', async () => {
  const file = changed(() => undefined);
  truncateSync(path.join(folder, 'model.onnx.data'), 1000);
  expect(await refusal(file)).toMatch(/^E_ONNX_EXTERNAL_DATA.*reaches to byte \d+ of a file of 1000 bytes/);
});
