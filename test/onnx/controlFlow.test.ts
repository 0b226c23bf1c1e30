/** Our own exports by torch (scripts/goldens/onnx_control_flow.py): layers in a Loop, and a batch fixed at two. Goldens by PyTorch. */
import { describe, expect, test } from 'vitest';
import type { GradientTarget } from '../../src/model/gradient.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { prepareGraph } from '../../src/onnx/lowering/prepareGraph.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../src/onnx/proto/writeGraph.ts';
import { createSession } from '../../src/onnx/runtime/session.ts';
import { modelFile, onnxGolden, relativeError } from './fixture.ts';

const open = (name: string) => openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });

describe.each(['loop_layers', 'batch_two'])('%s', (name) => {
  const golden = onnxGolden(name);
  const tokens = Int32Array.from(golden.ids);
  const last = tokens.length - 1;
  const near = (found: Float32Array, expected: string) =>
    expect(relativeError(found, golden.tensor(expected).data), expected).toBeLessThan(1e-5);

  test('logits, stream, attention and their gradients', async () => {
    const model = await open(name);
    try {
      expect(model.info).toMatchObject({ layers: 2, heads: 4, hidden: 32, headSize: 8, neurons: 48, vocabulary: 128 });
      expect(model.info.notes.filter((note) => /not found|Not visible/.test(note))).toEqual([]);
      const at = [0, 1].flatMap((layer) => [
        { kind: 'resid_pre' as const, layer },
        { kind: 'pattern' as const, layer },
      ]);
      const { logits, captured } = await model.forward({ tokens, logits: 'all', capture: at.map((site) => ({ site })) });
      near(logits!.values, 'logits');
      const targets: GradientTarget[] = [{ kind: 'logit', terms: [{ position: last, id: golden.targetToken, weight: 1 }] }];
      const { targets: found } = await model.gradient({ tokens, targets, at: [{ kind: 'embed' }, ...at] });
      const by = found[0]!.gradients;
      near(by.get('embed')!.data, 'g_emb');
      for (const layer of [0, 1]) {
        near(captured.get(`resid_pre.${layer}`)!.data, `h${layer}`);
        near(captured.get(`pattern.${layer}`)!.data, `p${layer}`);
        near(by.get(`resid_pre.${layer}`)!.data, `gh${layer}`);
        near(by.get(`pattern.${layer}`)!.data, `gp${layer}`);
      }
    } finally {
      await model.dispose();
    }
  });

  test('patches, vector–Jacobian products, the unembedding and generation', async () => {
    const model = await open(name);
    try {
      const site = { kind: 'resid_pre' as const, layer: 1 };
      const other = tokens.with(3, 9);
      const clean = await model.forward({ tokens, logits: 'last', capture: [{ site }] });
      const values = clean.captured.get('resid_pre.1')!.data;
      const patch = { site, operation: { kind: 'overwrite' as const, values } };
      const restored = await model.forward({ tokens: other, logits: 'last', patches: [patch] });
      expect(relativeError(restored.logits!.values, clean.logits!.values)).toBeLessThan(1e-5);
      // ⟨the gradient of a logit at the stream, stream⟩ as a cotangent gives the logit's gradient before it.
      const cotangent = golden.tensor('gh1').data;
      const targets: GradientTarget[] = [{ kind: 'cotangent', site, values: Float32Array.from(cotangent) }];
      const { targets: found } = await model.gradient({ tokens, targets, at: [{ kind: 'embed' }] });
      near(found[0]!.gradients.get('embed')!.data, 'g_emb');
      const stream = { kind: 'resid_post' as const, layer: 1 };
      const { captured, read } = await model.forward({
        tokens,
        read: [{ position: last, ids: [5, 9] }],
        capture: [{ site: stream }],
      });
      const [row] = await model.unembed({ rows: captured.get('resid_post.1')!.data.slice(last * 32), read: [{ ids: [5, 9] }] });
      expect(relativeError(row!.logits, read[0]!.logits)).toBeLessThan(1e-5);
      const { tokens: written } = await model.generate({ tokens, maxTokens: 2, temperature: 0, seed: 0, top: 1 });
      expect(written[0]!.id).toBe(golden.targetToken);
    } finally {
      await model.dispose();
    }
  });
});

test('the Loop of a scripted export becomes its layers, and their weights stay where they are in the file', async () => {
  const { graph, lowered } = await prepareGraph(modelFile('loop_layers'), { precision: 'exact', threads: 1 });
  expect(lowered).toEqual(['Loop']);
  expect(graph.nodes.filter(({ op }) => op === 'Loop')).toEqual([]);
  expect(graph.nodes.filter(({ op }) => op === 'Softmax')).toHaveLength(2);
  const sliced = [...graph.initializers.values()].filter(({ dims, range }) => dims.join() === '32,96' && range !== null);
  expect(sliced.map(({ range }) => range!.length)).toEqual([32 * 96 * 4, 32 * 96 * 4]);
  expect(Math.abs(sliced[0]!.range!.offset - sliced[1]!.range!.offset)).toBe(32 * 96 * 4);
});

test('the file with a batch of two, as it is: each row of a padded batch says what it says alone', async () => {
  const golden = onnxGolden('batch_two');
  const graph = readGraph(modelFile('batch_two'));
  const session = await createSession(writeGraph(graph, { outputs: ['logits'] }), graph.folder, { threads: 1 });
  const whole = (name: string) => ({ type: 7, dims: [2, 12], data: golden.wholeNumbers(name) });
  const results = await session.run({ input_ids: whole('batch_ids'), attention_mask: whole('batch_mask') });
  await session.release();
  const data = results['logits']!.data as Float32Array;
  const half = data.length / 2;
  expect(relativeError(data.subarray(0, half), golden.tensor('logits').data)).toBeLessThan(1e-5);
  const second = golden.tensor('row_logits').data;
  expect(relativeError(data.subarray(data.length - second.length), second)).toBeLessThan(1e-5);
});
