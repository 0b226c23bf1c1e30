/** Sessions of ONNX Runtime, the values they are fed, and what probe runs see. */
import { expect, test } from 'vitest';
import { elementTypes, type GraphValue } from '../../../src/onnx/graph/graph.ts';
import { isFixedAxis } from '../../../src/onnx/graph/probe.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { loadRuntime } from '../../../src/onnx/runtime/loadRuntime.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { dialects, modelFile, onnxGolden, relativeError } from '../fixture.ts';

const { int64, int32, float32, float16, bool } = elementTypes;
const value = (name: string, type: number, dims: GraphValue['dims']): GraphValue => ({ name, type, dims });

test.each([
  [value('input_ids', int64, ['batch', 'sequence']), [1, 3], [8n, 9n, 10n]],
  [value('attention_mask', int64, ['batch', 'total']), [1, 3], [1n, 1n, 1n]],
  [value('position_ids', int32, ['batch', 'sequence']), [1, 3], [0, 1, 2]],
  [value('token_type_ids', int64, ['batch', 'sequence']), [1, 3], [0n, 0n, 0n]],
  [value('past_key_values.0.key', float32, ['batch', 2, 'past', 4]), [1, 2, 0, 4], []],
  [value('past_key_values.0.key', float16, ['batch', 2, 'past', 'size']), [1, 2, 0, 16], []],
  [value('attention_mask', float16, ['batch', 'total']), [1, 3], [0x3c00, 0x3c00, 0x3c00]],
  [value('attention_mask', bool, ['batch', 1, 'sequence', 'total']), [1, 1, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  [value('use_cache_branch', bool, [1]), [1], [0]],
  [value('num_logits_to_keep', int64, []), [], [0n]],
  // The only input of its form is that of the tokens, whatever it is called.
  [value('x', int64, ['b', 't']), [1, 3], [8n, 9n, 10n]],
  [value('y', int32, [1, 't']), [1, 3], [8, 9, 10]],
])('%j', (input, dims, data) => {
  const fed = feeds([input], [8, 9, 10], { headSize: 16 })[input.name]!;
  expect({ type: fed.type, dims: fed.dims, data: [...fed.data] }).toEqual({ type: input.type, dims, data });
});

test('padding at the left is masked and shifts positions; tokens read before count', () => {
  const inputs = [value('attention_mask', int64, ['b', 't']), value('position_ids', int64, ['b', 's'])];
  const padded = feeds(inputs, [0, 0, 7, 8], { padding: 2 });
  expect([...padded['attention_mask']!.data].join()).toBe('0,0,1,1');
  expect([...padded['position_ids']!.data].join()).toBe('0,0,0,1');
  const later = feeds(inputs, [7], { past: { length: 3, values: {} } });
  expect([...later['attention_mask']!.data].join()).toBe('1,1,1,1');
  expect([...later['position_ids']!.data].join()).toBe('3');
});

test.each([
  [value('pixel_values', float32, ['b', 3, 224, 224]), /"pixel_values" has a purpose or a shape that is not known/],
  [value('input_ids', int64, [1, 128]), /takes exactly 128 tokens/],
  [value('input_ids', int64, null), /not known/],
  [value('x', int64, ['t']), /"x" has a purpose or a shape that is not known/],
  [value('x', float32, ['b', 't']), /"x" has a purpose or a shape that is not known/],
  [[value('x', int64, ['b', 't']), value('y', int64, ['b', 't'])], /"x" has a purpose or a shape that is not known/],
  [[value('input_ids', int64, ['b', 't']), value('y', int64, ['b', 't'])], /"y" has a purpose or a shape that is not known/],
])('%j is refused', (input, why) => {
  expect(() => feeds([input].flat(), [1, 2])).toThrow(
    expect.objectContaining({ code: 'E_ONNX_UNSUPPORTED', message: expect.stringMatching(why) }) as Error,
  );
});

test('a system without the native library is told what to do', async () => {
  const load = () =>
    Promise.reject(new Error("Cannot find module '../bin/napi-v6/plan9/x64/onnxruntime_binding.node'\nRequire stack"));
  await expect(loadRuntime(load)).rejects.toMatchObject({
    code: 'E_ONNX_RUNTIME_MISSING',
    parts: { action: expect.stringContaining('npm ci') },
  });
  expect(typeof (await loadRuntime()).InferenceSession.create).toBe('function');
});

test('what ONNX Runtime refuses is an error with its reason', async () => {
  const graph = readGraph(modelFile('bert_cls_optimum'));
  graph.nodes[3] = { ...graph.nodes[3]!, op: 'NoSuchOperator' };
  const bytes = writeGraph(graph, { outputs: ['logits'] });
  await expect(createSession(bytes, graph.folder, { threads: 1 })).rejects.toMatchObject({
    code: 'E_ONNX_RUNTIME',
    parts: { why: expect.stringContaining('NoSuchOperator') },
  });
});

test('a session takes calls one after the other, and none after its release', async () => {
  const graph = readGraph(modelFile('bert_cls_optimum'));
  const golden = onnxGolden('bert_cls_optimum');
  const session = await createSession(writeGraph(graph, { outputs: ['logits'] }), graph.folder, { threads: 1 });
  const given = feeds(graph.inputs, golden.ids);
  const runs = [session.run(given), session.run(given), session.run({})];
  const released = session.release();
  const [first, second, third] = await Promise.allSettled(runs);
  expect(first).toMatchObject({ status: 'fulfilled' });
  expect(second).toEqual(first);
  expect(third).toMatchObject({ status: 'rejected', reason: { code: 'E_ONNX_RUNTIME' } });
  await released;
  await session.release();
  await expect(session.run(given)).rejects.toMatchObject({ code: 'E_ONNX_RUNTIME' });
});

test.each(dialects)('$name: the probe sees every tensor', async ({ name }) => {
  const graph = readGraph(modelFile(name));
  const probe = await probeRun(graph, { threads: 1, headSize: 16 });
  expect(probe.lengths).toEqual([5, 7]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== '') expect(probe.facts(output), output).toBeDefined();
  }
  const logits = probe.facts('logits')!;
  expect(logits.type).toBe(float32);
  expect(logits.dims[0]).toEqual(onnxGolden(name).kind === 'lm' ? [1, 5, 320] : [1, 3]);
  expect(isFixedAxis(logits, -1)).toBe(true);
  expect(isFixedAxis(probe.facts('input_ids')!, 1)).toBe(false);
  expect(probe.facts('no such tensor')).toBeUndefined();
});

test('padding changes nothing for the tokens behind it', async () => {
  const graph = readGraph(modelFile('llama_optimum_kv'));
  const golden = onnxGolden('llama_optimum_kv');
  const session = await createSession(writeGraph(graph, { outputs: ['logits'] }), graph.folder, { threads: 1 });
  const { logits } = await session.run(feeds(graph.inputs, [0, 0, 0, ...golden.ids], { padding: 3 }));
  await session.release();
  const expected = golden.tensor('logits').data;
  expect(relativeError((logits!.data as Float32Array).slice(-expected.length), expected)).toBeLessThan(1e-4);
});
