/** What may not be simplified away: it does nothing at the lengths and with the masks of the probes, and something elsewhere. */
import { expect, test } from 'vitest';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { simplify } from '../../../src/onnx/lowering/simplify.ts';
import { probeRun } from '../../../src/onnx/runtime/probeRun.ts';
import { emptyGraph } from '../oneNode.ts';

/** The operators that are left of a graph over token ids [1, tokens] and a mask. */
async function left(build: (builder: GraphBuilder) => string): Promise<string[]> {
  const graph: OnnxGraph = emptyGraph(18);
  graph.inputs = ['input_ids', 'attention_mask'].map((name) => ({ name, type: elementTypes.int64, dims: [1, 'tokens'] }));
  const builder = new GraphBuilder(graph);
  const output = build(builder);
  graph.nodes = builder.nodes;
  graph.outputs = [{ name: builder.node('Neg', [output]), type: elementTypes.float32, dims: null }];
  simplify(graph, await probeRun(graph, { threads: 1 }));
  return graph.nodes.map(({ op }) => op).filter((op) => op !== 'Neg' && op !== 'Cast');
}

test.each<readonly [what: string, build: (builder: GraphBuilder) => string, ops: readonly string[]]>([
  ['a mask of ones is not a one', (b) => b.multiply(b.castToFloat('input_ids'), b.castToFloat('attention_mask')), ['Mul']],
  ['a one is', (b) => b.multiply(b.castToFloat('input_ids'), b.number(1)), []],
  ['a zero is', (b) => b.add(b.number(0), b.castToFloat('input_ids')), []],
  [
    'one minus a mask is not a zero',
    (b) => b.subtract(b.castToFloat('input_ids'), b.subtract(b.number(1), b.castToFloat('attention_mask'))),
    ['Sub', 'Sub'],
  ],
  ['a slice up to a length no probe had', (b) => b.slice(b.castToFloat('input_ids'), 1, 0, 256), ['Slice']],
  ['a slice to the end', (b) => b.slice(b.castToFloat('input_ids'), 1, 0, Number.MAX_SAFE_INTEGER), []],
  [
    'a slice backwards',
    (b) => b.node('Slice', [b.castToFloat('input_ids'), b.ints(-1), b.ints(-1000), b.ints(1), b.ints(-1)]),
    ['Slice'],
  ],
  [
    'the number of tokens',
    (b) => b.multiply(b.castToFloat('input_ids'), b.castToFloat(b.node('Gather', [b.shape('input_ids'), b.int(1)]))),
    ['Shape', 'Gather', 'Mul'],
  ],
  [
    'the number of sequences',
    (b) => b.add(b.castToFloat('input_ids'), b.castToFloat(b.node('Gather', [b.shape('input_ids'), b.int(0)]))),
    ['Add'],
  ],
  [
    'a sum of ids that is folded never',
    (b) => b.add(b.castToFloat('input_ids'), b.castToFloat(b.node('Sign', ['input_ids']))),
    ['Sign', 'Add'],
  ],
])('%s', async (_, build, ops) => expect(await left(build)).toEqual(ops));
