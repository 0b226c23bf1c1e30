/** Loops laid out round by round, against ONNX Runtime's own Loop; and those that stay, with the reason why. */
import { describe, expect, test } from 'vitest';
import { elementTypes, type GraphNode, type OnnxGraph, type SubGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { inlineControlFlow } from '../../../src/onnx/lowering/inlineControlFlow.ts';
import { refuseControlFlow } from '../../../src/onnx/lowering/refuseControlFlow.ts';
import { refuseEndlessLoops } from '../../../src/onnx/lowering/refuseEndlessLoops.ts';
import { unrollLoops } from '../../../src/onnx/lowering/unrollLoops.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import { emptyGraph } from '../oneNode.ts';

const { bool, float32, int64 } = elementTypes;
const value = (name: string, type: number, dims: readonly (number | string)[]) => ({ name, type, dims });

interface BodyForm {
  /** Writes the body: [round, condition, x] → [condition, x′, collected…]. */
  readonly body: (b: GraphBuilder) => readonly string[];
  readonly rounds?: (b: GraphBuilder) => string;
  readonly condition?: (b: GraphBuilder) => string;
  readonly collected?: number;
}

/** x [1, T, 4] computed of ids [1, T], through a Loop, to `out0`, `out1`, …. */
function loopGraph({ body, rounds, condition, collected = 0 }: BodyForm): OnnxGraph {
  const graph = emptyGraph(17);
  graph.inputs = [value('input_ids', int64, [1, 'T'])];
  const builder = new GraphBuilder(graph, 'outer');
  const table = builder.constant(
    [32, 4],
    Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)),
  );
  builder.node('Gather', [table, 'input_ids'], {}, { output: 'x' });
  const inner: SubGraph = {
    nodes: [],
    initializers: new Map(),
    inputs: [value('round', int64, []), value('going', bool, []), value('state', float32, [1, 'T', 4])],
    outputs: [],
  };
  const innerBuilder = new GraphBuilder({ ...graph, initializers: inner.initializers }, 'body');
  const results = body(innerBuilder);
  inner.nodes = innerBuilder.nodes;
  inner.outputs = results.map((name) => value(name, 0, []));
  const node: GraphNode = {
    op: 'Loop',
    domain: '',
    name: 'the loop',
    inputs: [rounds?.(builder) ?? builder.int(3), condition?.(builder) ?? '', 'x'],
    outputs: Array.from({ length: 1 + collected }, (_, i) => `out${i}`),
    attributes: new Map([['body', { kind: 'graph', value: inner }]]),
  };
  graph.nodes = [...builder.nodes, node];
  graph.outputs = node.outputs.map((name) => value(name, 0, []));
  return graph;
}

const ids = [3, 1, 4, 1, 5, 9];

async function run(graph: OnnxGraph): Promise<Float32Array[]> {
  const outputs = graph.outputs.map(({ name }) => name);
  const session = await createSession(writeGraph(graph, { outputs }), graph.folder, {
    threads: 1,
    optimisation: 'disabled',
  });
  const given = { input_ids: { type: int64, dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) } };
  const results = await session.run(given);
  await session.release();
  return outputs.map((name) => results[name]!.data as Float32Array);
}

const plusRound = (b: GraphBuilder) => b.add('state', b.castToFloat('round'));
const halved = (b: GraphBuilder, x: string) => b.multiply(x, b.number(0.5));
const truth = (b: GraphBuilder, yes: boolean) => b.node('Cast', [b.int(yes ? 1 : 0)], { to: bool });
const truthConstant = (b: GraphBuilder, yes: boolean) => {
  const name = b.fresh('truth');
  b.graph.initializers.set(name, { name, dims: [], type: bool, bytes: Uint8Array.of(yes ? 1 : 0), range: null });
  return name;
};

describe('equal to ONNX Runtime’s own', () => {
  test.each<[string, BodyForm]>([
    ['state and round', { body: (b) => [b.node('Identity', ['going']), halved(b, plusRound(b))] }],
    ['the condition handed on', { body: (b) => ['going', plusRound(b)], condition: (b) => truthConstant(b, true) }],
    ['a constant condition of the body', { body: (b) => [truthConstant(b, true), plusRound(b)] }],
    ['a body that ends it after one round', { body: (b) => [truthConstant(b, false), plusRound(b)] }],
    ['a condition that never lets it run', { body: (b) => ['going', plusRound(b)], condition: (b) => truthConstant(b, false) }],
    ['no round', { body: (b) => ['going', plusRound(b)], rounds: (b) => b.int(0) }],
    ['what each round gives, stacked', { body: (b) => ['going', plusRound(b), halved(b, 'state')], collected: 1 }],
    ['tensors from around it', { body: (b) => ['going', b.add('state', 'x')] }],
    ['a state that is handed on', { body: () => ['going', 'state'] }],
  ])('%s', async (_, form) => {
    const expected = await run(loopGraph(form));
    const graph = loopGraph(form);
    expect(unrollLoops(graph, null)).toBe(1);
    expect(graph.nodes.some(({ op }) => op === 'Loop')).toBe(false);
    expect(await run(graph)).toEqual(expected);
  });

  test('a number of rounds that shapes of weights give, and a branch in the body', async () => {
    const form: BodyForm = {
      body: (b) => {
        const branch = (factor: number): SubGraph => {
          const inner = new GraphBuilder({ ...b.graph, initializers: new Map() }, `branch${factor}`);
          const output = inner.multiply('state', inner.number(factor));
          return { nodes: inner.nodes, initializers: inner.graph.initializers, inputs: [], outputs: [value(output, 0, [])] };
        };
        const attributes = {
          then_branch: { kind: 'graph', value: branch(2) } as const,
          else_branch: { kind: 'graph', value: branch(3) } as const,
        };
        return ['going', b.node('If', [truthConstant(b, true)], attributes)];
      },
      rounds: (b) => b.node('Squeeze', [b.slice(b.shape(b.constant([2, 4], new Float32Array(8))), 0, 0, 1)]),
    };
    const expected = await run(loopGraph(form));
    const graph = loopGraph(form);
    expect(inlineControlFlow(graph, null)).toEqual([]);
    expect(inlineControlFlow(graph, await probeRun(graph, { threads: 1 }))).toEqual(['Loop', 'If', 'If']);
    expect(await run(graph)).toEqual(expected);
  });
});

describe('those that stay', () => {
  test.each<[string, RegExp, BodyForm]>([
    [
      'as many rounds as tokens',
      /Loop \\?"the loop\\?" cannot be opened up: how often its body runs depends on the prompt/,
      { body: (b) => ['going', plusRound(b)], rounds: (b) => b.node('Squeeze', [b.slice(b.shape('input_ids'), 0, 1, 2)]) },
    ],
    [
      'as many rounds as the first token says',
      /how often its body runs depends on the prompt/,
      {
        body: (b) => ['going', plusRound(b)],
        rounds: (b) => b.node('Squeeze', [b.node('Min', [b.slice('input_ids', 1, 0, 1), b.ints(4)])]),
      },
    ],
    [
      'until something is reached',
      /a computed condition ends it/,
      { body: (b) => [b.node('Less', ['round', b.int(1)]), plusRound(b)] },
    ],
    [
      'a computed condition that is true',
      /a computed condition ends it/,
      { body: (b) => [b.node('Not', [truth(b, false)]), plusRound(b)] },
    ],
    ['too many', /more often than 1024/, { body: (b) => ['going', plusRound(b)], rounds: (b) => b.int(5000) }],
  ])('%s', async (_, message, form) => {
    const graph = loopGraph(form);
    const probe = await probeRun(graph, { threads: 1 });
    expect(unrollLoops(graph, probe)).toBe(0);
    expect(() => refuseControlFlow(graph, probe)).toThrow(message);
    expect(() => refuseControlFlow(graph, probe)).toThrow(/E_ONNX_UNSUPPORTED/);
  });

  test.each<[string, BodyForm]>([
    [
      'without a number of rounds',
      { body: () => ['going', 'state'], rounds: () => '', condition: (b) => truthConstant(b, true) },
    ],
    ['with a number nobody waits for', { body: () => ['going', 'state'], rounds: (b) => b.int(2 ** 40) }],
  ])('one that does not end is never run: %s', (_, form) => {
    const graph = loopGraph(form);
    expect(() => refuseEndlessLoops(graph)).toThrow(/E_ONNX_UNSUPPORTED.*more often than 1024/);
  });
});
