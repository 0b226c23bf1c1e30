/** Forms of our own (scripts/goldens/onnx_graphs.py): a merged decoder, parallel blocks, padding, tokens read before. Goldens by NumPy. */
import { describe, expect, test } from 'vitest';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import type { TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import { recognise } from '../../../src/onnx/structure/recognise.ts';
import { modelFile, onnxGolden, relativeError } from '../fixture.ts';

const threads = 1;
const data = (value: TensorValue | undefined) => value!.data as Float32Array;

describe.each([
  { name: 'merged_decoder', lowered: ['If'], isParallel: false },
  { name: 'parallel_mha', lowered: ['com.microsoft:MultiHeadAttention', 'com.microsoft:MultiHeadAttention'], isParallel: true },
])('$name', ({ name, lowered, isParallel }) => {
  const golden = onnxGolden(name);

  test('as the file is: a whole prompt, a padded one, and a last token after the others', async () => {
    const graph = readGraph(modelFile(name));
    const outputs = graph.outputs.map((output) => output.name);
    const session = await createSession(writeGraph(graph, { outputs }), graph.folder, { threads });
    const whole = await session.run(feeds(graph.inputs, golden.ids));
    expect(relativeError(data(whole['logits']), golden.tensor('logits').data)).toBeLessThan(1e-5);

    const padded = await session.run(feeds(graph.inputs, [0, 0, 0, ...golden.ids], { padding: 3 }));
    const expected = golden.tensor('padded_logits').data;
    expect(relativeError(data(padded['logits']).slice(-expected.length), expected)).toBeLessThan(1e-5);

    const first = await session.run(feeds(graph.inputs, golden.ids.slice(0, -1)));
    const values = Object.fromEntries(
      Object.entries(first).map(([output, value]) => [output.replace('present', 'past_key_values'), value]),
    );
    const later = await session.run(
      feeds(graph.inputs, golden.ids.slice(-1), { past: { length: golden.ids.length - 1, values } }),
    );
    await session.release();
    expect(relativeError(data(later['logits']), golden.tensor('later_logits').data)).toBeLessThan(1e-5);
  });

  test('opened up: logits, padding, and the sites', async () => {
    const prepared = await prepareGraph(modelFile(name), { precision: 'exact', threads });
    expect(prepared.lowered).toEqual(lowered);
    const { graph, probe } = prepared;
    expect(graph.inputs.map((input) => input.name)).toEqual(['input_ids', 'attention_mask', 'position_ids']);
    expect(graph.nodes.filter(({ op }) => op === 'If' || op === 'MultiHeadAttention')).toEqual([]);
    const structure = recognise(graph, probe);
    expect(structure).toMatchObject({
      kind: 'causal-lm',
      heads: 4,
      kvHeads: 4,
      headSize: 16,
      hidden: 64,
      neurons: 48,
      vocabulary: 160,
    });
    expect(structure.notes).toEqual(isParallel ? [0, 1].map((i) => `layer ${i}: not found: residMid`) : []);

    const { layers, output, finalNorm } = structure;
    const sites = layers.flatMap((layer) =>
      Object.values(layer).flatMap((site: unknown) => (typeof site === 'string' ? [site] : [])),
    );
    const outputs = [...new Set([...sites, output!, finalNorm!])];
    const session = await createSession(writeGraph(graph, { outputs }), graph.folder, { threads, optimisation: 'disabled' });
    const seen = await session.run(feeds(graph.inputs, golden.ids));
    const padded = await session.run(feeds(graph.inputs, [0, 0, 0, ...golden.ids], { padding: 3 }));
    await session.release();
    const near = (tensor: string | null, expected: string) =>
      expect(relativeError(data(seen[tensor ?? '']), golden.tensor(expected).data), expected).toBeLessThan(1e-5);
    near(output, 'logits');
    near(finalNorm, 'h2');
    for (const [i, layer] of layers.entries()) {
      near(layer.residPre, `h${i}`);
      near(layer.probabilities, `p${i}`);
      const terms = [layer.residPre, layer.attnOut, layer.mlpOut].map((site) => data(seen[site ?? '']));
      const sum = terms[0]!.map((value, j) => value + terms[1]![j]! + terms[2]![j]!);
      expect(relativeError(data(seen[layer.residPost ?? '']), sum)).toBeLessThan(1e-6);
    }
    const expected = golden.tensor('padded_logits').data;
    expect(relativeError(data(padded[output ?? '']).slice(-expected.length), expected)).toBeLessThan(1e-5);
  });
});
