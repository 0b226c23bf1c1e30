/** The trial at opening: it lets sound files pass, and finds each way in which a beginning could be kept wrongly. */
import { describe, expect, test } from 'vitest';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { type KeyValueGraph, keyValueGraph } from '../../../src/onnx/keptTokens/keyValueGraph.ts';
import { keptBeginning, type KeptTokens, keyValueRun, type KeyValueRequest } from '../../../src/onnx/keptTokens/keyValueRun.ts';
import { givesTheSame, provesSharing } from '../../../src/onnx/keptTokens/provesSharing.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { probeGraph } from '../../../src/onnx/runtime/probeGraph.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { modelFile } from '../fixture.ts';

const options = { threads: 1, headSize: 16 };

function modelOf(name: string, change: (graph: OnnxGraph) => void = () => undefined): KeyValueGraph {
  const graph = readGraph(modelFile(name));
  change(graph);
  return keyValueGraph(graph, 'logits', null)!;
}

test.each([
  ['llama_optimum_kv', true],
  ['gpt2_ort_fused', true],
  ['llama_genai_int4', true],
  ['merged_decoder', true],
  ['llama_fp16', false],
  ['llama_int8_dynamic', false],
])('%s: %s', async (name, expected) => {
  expect(await provesSharing(modelOf(name), options)).toBe(expected);
});

test('refused by structure', async () => {
  const of = (change: (graph: OnnxGraph) => void) => provesSharing(modelOf('llama_optimum_kv', change), options);
  const node = (op: string) => ({
    op,
    domain: '',
    name: '',
    inputs: ['input_ids'],
    outputs: [`${op}_out`],
    attributes: new Map(),
  });
  for (const op of ['If', 'Loop', 'DynamicQuantizeLinear']) expect(await of((graph) => graph.nodes.push(node(op)))).toBe(false);
  const pasts = (change: (input: OnnxGraph['inputs'][number]) => OnnxGraph['inputs'][number]) =>
    of((graph) => {
      graph.inputs = graph.inputs.map((input) => (input.name.startsWith('past') ? change(input) : input));
    });
  expect(await pasts((input) => ({ ...input, type: elementTypes.float16 }))).toBe(false);
  expect(await pasts((input) => ({ ...input, dims: [2, ...input.dims!.slice(1)] }))).toBe(false);
  expect(await pasts((input) => input)).toBe(true);
});

describe('found by trial', () => {
  test('what one layer keeps given to another, and keys as values', async () => {
    for (const [a, b] of [
      ['past_key_values.0.key', 'past_key_values.1.key'],
      ['past_key_values.1.key', 'past_key_values.1.value'],
    ] as const) {
      const model = modelOf('llama_optimum_kv');
      const swapped = new Map<string, string>([
        [a, b],
        [b, a],
      ]);
      const names = model.names.map(({ past, ...rest }) => ({ ...rest, past: swapped.get(past) ?? past }));
      expect(await provesSharing({ ...model, names }, options)).toBe(false);
    }
  });

  test('in a large graph, of which only the first layers are run', async () => {
    const model = modelOf('llama_optimum_kv', ({ nodes }) => {
      for (let index = 0; index < 1000; index++)
        nodes.push({
          op: 'Identity',
          domain: '',
          name: '',
          inputs: ['input_ids'],
          outputs: [`unread_${index}`],
          attributes: new Map(),
        });
    });
    expect(await provesSharing(model, options)).toBe(true);
    // Behind the keys and values of the third layer nothing is looked at, so what stands there need not run.
    const later = model.names.map((name) => (name.layer === 1 ? { ...name, layer: 3, present: 'no such tensor' } : name));
    expect(await provesSharing({ ...model, names: later }, options)).toBe(true);
    const [first, second] = model.names;
    const swapped = model.names.map((name) => ({
      ...name,
      past: { [first!.past]: second!.past, [second!.past]: first!.past }[name.past] ?? name.past,
    }));
    expect(await provesSharing({ ...model, names: swapped }, options)).toBe(false);
  });

  test('a file whose tokens are rounded together', async () => {
    // As if the rounding had a name that is not known.
    const model = modelOf('llama_int8_dynamic');
    expect(await trial(model, (run) => run)).toBe(false);
  });

  test('positions that begin again, a token too few, one of another sequence', async () => {
    const model = modelOf('llama_optimum_kv');
    expect(await trial(model, (run) => run)).toBe(true);
    const spoilt: ((before: KeptTokens) => KeptTokens | null)[] = [
      () => null,
      (before) => keptBeginning(before, before.length - 1),
      (before) => ({
        ...before,
        values: Object.fromEntries(Object.entries(before.values).map(([key, value]) => [key, turned(value)])),
      }),
    ];
    for (const spoil of spoilt)
      expect(
        await trial(
          model,
          (run) => (request) => run({ ...request, before: request.before === null ? null : spoil(request.before) }),
        ),
      ).toBe(false);
  });
});

type Run = (request: KeyValueRequest) => ReturnType<typeof keyValueRun>;

/** The trial itself, with a change of what is run. */
async function trial(model: KeyValueGraph, change: (run: Run) => Run): Promise<boolean> {
  const light = { ...model, graph: probeGraph(model.graph, 'copies') };
  const outputs = [model.logits, ...model.names.map(({ present }) => present)];
  const session = await createSession(writeGraph(light.graph, { outputs }), light.graph.folder, options);
  try {
    return await givesTheSame(change((request) => keyValueRun(light, session, options, request)));
  } finally {
    await session.release();
  }
}

/** Tokens in the order from last to first. */
function turned(value: KeptTokens['values'][string]): KeptTokens['values'][string] {
  const [, heads = 0, tokens = 0, size = 0] = value.dims;
  const data = (value.data as Float32Array).slice();
  for (let head = 0; head < heads; head++)
    for (let token = 0; token < tokens; token++) {
      const from = (head * tokens + token) * size;
      data.set((value.data as Float32Array).subarray(from, from + size), (head * tokens + tokens - 1 - token) * size);
    }
  return { ...value, data };
}
