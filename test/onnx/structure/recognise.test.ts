/** The sites found in every dialect are what PyTorch computed, and fit each other. */
import { describe, expect, test } from 'vitest';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { createSession } from '../../../src/onnx/runtime/session.ts';
import type { TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import type { HeadTensor } from '../../../src/onnx/structure/attentionSites.ts';
import { recognise, type Structure } from '../../../src/onnx/structure/recognise.ts';
import { dialects, modelFile, onnxGolden, relativeError } from '../fixture.ts';

const threads = 1;

async function recognised(
  name: string,
): Promise<{ structure: Structure; read: (tensor: string | null) => Float32Array; golden: ReturnType<typeof onnxGolden> }> {
  const { graph, probe } = await prepareGraph(modelFile(name), { precision: 'exact', threads });
  const structure = recognise(graph, probe);
  const { layers, output, embedding, finalNorm } = structure;
  const sites = layers.flatMap((layer) => Object.values(layer) as readonly (string | HeadTensor | null)[]);
  const names = [...sites, output, embedding, finalNorm].flatMap((site) =>
    site === null ? [] : typeof site === 'string' ? site : site.tensor,
  );
  const golden = onnxGolden(name);
  const outputs = [...new Set(names)];
  const session = await createSession(writeGraph(graph, { outputs }), graph.folder, { threads, optimisation: 'disabled' });
  const values: Record<string, TensorValue> = await session.run(feeds(graph.inputs, golden.ids));
  await session.release();
  return { structure, golden, read: (tensor) => values[tensor ?? '']!.data as Float32Array };
}

const tokens = 12;
const size = 16;

/** Element of [1, heads, …]. */
function at(data: Float32Array, { layout }: HeadTensor, head: number, token: number, d: number): number {
  if (layout === 'token, head, size') return data[(token * (data.length / tokens / size) + head) * size + d]!;
  return data[layout === 'head, token, size' ? (head * tokens + token) * size + d : (head * size + d) * tokens + token]!;
}

describe.each(dialects)('$name', ({ name, exact }) => {
  test('hidden states, attention and logits are those of PyTorch; sites fit each other', async () => {
    const { structure, read, golden } = await recognised(name);
    const { layers, kind, finalNorm } = structure;
    expect(structure.notes).toEqual([]);
    const isClassifier = golden.kind === 'cls';
    expect({
      kind,
      layers: layers.length,
      hidden: structure.hidden,
      heads: structure.heads,
      headSize: structure.headSize,
      vocabulary: structure.vocabulary,
    }).toEqual({
      kind: isClassifier ? 'classifier' : 'causal-lm',
      layers: golden.layers,
      hidden: 64,
      heads: 4,
      headSize: size,
      vocabulary: 320,
    });
    expect(structure.kvHeads).toBe(name.startsWith('llama') ? 2 : 4);
    const near = (tensor: string | null, expected: string) =>
      expect(relativeError(read(tensor), golden.tensor(expected).data), expected).toBeLessThan(exact);
    near(structure.output, 'logits');
    for (const [i, layer] of layers.entries()) {
      near(layer.residPre, `h${i}`);
      near(layer.probabilities, `p${i}`);
      if (i > 0) expect(layer.residPre).toBe(layers[i - 1]!.residPost);
      expect(read(layer.mlpPost).length).toBe(tokens * structure.neurons!);
      if (!isClassifier) {
        const sum = (a: string | null, b: string | null) => read(a).map((value, j) => value + read(b)[j]!);
        expect(relativeError(read(layer.residMid), sum(layer.residPre, layer.attnOut))).toBeLessThan(1e-6);
        expect(relativeError(read(layer.residPost), sum(layer.residMid, layer.mlpOut))).toBeLessThan(1e-6);
      }
    }
    near(isClassifier ? layers.at(-1)!.residPost : finalNorm, `h${golden.layers}`);
    expect(finalNorm === null).toBe(isClassifier);
  });

  test('scores are products of queries and keys, per-head outputs those of probabilities and values', async () => {
    const { structure, read } = await recognised(name);
    for (const { q, k, v, z, scores, probabilities } of structure.layers) {
      if (q === null || k === null || v === null || z === null) throw new Error('not found');
      const [queries, keys, values, outputs, p, s] = [q.tensor, k.tensor, v.tensor, z.tensor, probabilities, scores].map(
        (tensor) => read(tensor),
      );
      const group = structure.heads! / structure.kvHeads!;
      const expectedScores: number[] = [];
      const found: number[] = [];
      const expectedOutputs: number[] = [];
      for (let head = 0; head < 4; head++) {
        for (let i = 0; i < tokens; i++) {
          for (let j = 0; j <= i; j++) {
            let sum = 0;
            for (let d = 0; d < size; d++) sum += at(queries!, q, head, i, d) * at(keys!, k, Math.floor(head / group), j, d);
            expectedScores.push(sum / Math.sqrt(size));
            found.push(s![(head * tokens + i) * tokens + j]!);
          }
          for (let d = 0; d < size; d++) {
            let sum = 0;
            for (let j = 0; j < tokens; j++)
              sum += p![(head * tokens + i) * tokens + j]! * at(values!, v, Math.floor(head / group), j, d);
            expectedOutputs.push(sum);
          }
        }
      }
      expect(relativeError(found, expectedScores)).toBeLessThan(1e-5);
      expect(relativeError(outputs!, expectedOutputs)).toBeLessThan(1e-5);
    }
  });
});
