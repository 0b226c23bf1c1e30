/** A Llama whose second layer has a mixture of experts: run by ONNX Runtime, recognised, and refused by name where something inside is asked for. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../../src/model/model.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { openOnnxModel } from '../../../src/onnx/openOnnxModel.ts';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { modelFile, onnxGolden } from '../fixture.ts';
import { randomNumbers } from '../oneNode.ts';

const [hidden, neurons, experts] = [64, 32, 4];
let folder: string;
let model: Model;
const tokens = Int32Array.from(onnxGolden('llama_optimum_kv').ids);

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-experts-'));
  const file = path.join(folder, 'model.onnx');
  copyFileSync(modelFile('llama_optimum_kv'), path.join(folder, 'weights.onnx'));
  const graph = readGraph(path.join(folder, 'weights.onnx'));
  const last = graph.nodes.filter(({ op, inputs }) => op === 'MatMul' && inputs[1]?.startsWith('onnx::MatMul')).slice(-3);
  const [gate, , down] = last;
  const builder = new GraphBuilder(graph, 'test');
  const random = randomNumbers(3);
  const weights = (...dims: number[]) =>
    builder.constant(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random() / 4),
    );
  const x = gate!.inputs[0]!;
  const routes = builder.reshape(builder.matMul(x, weights(hidden, experts)), [-1, experts]);
  const parts = [x, routes, weights(experts, neurons, hidden), '', weights(experts, hidden, neurons)];
  builder.node(
    'MoE',
    parts,
    { activation_type: 'silu', k: 2, normalize_routing_weights: 1 },
    { domain: 'com.microsoft', output: down!.outputs[0]! },
  );
  graph.nodes = graph.nodes.flatMap((node) => (node === down ? builder.nodes : [node]));
  writeFileSync(file, writeGraph(graph, { outputs: graph.outputs.map(({ name }) => name) }));
  model = await openOnnxModel(file, { threads: 1, contextLength: 0 });
});
afterAll(async () => {
  await model.dispose();
  rmSync(folder, { recursive: true });
});

test('it says what cannot be seen', () => {
  expect(model.info).toMatchObject({ layers: 2, hidden, can: { capture: true, patch: true, gradient: false } });
  const notes = model.info.notes.join('\n');
  expect(notes).toMatch(/mixtures of experts \(com\.microsoft:MoE, 1 of them\)/);
  expect(notes).toMatch(/layer 1: not found: mlpPost/);
});

test('attention, streams and patches work around it', async () => {
  const site = { kind: 'resid_pre' as const, layer: 1 };
  const capture = [{ site }, { site: { kind: 'pattern' as const, layer: 1 } }, { site: { kind: 'mlp_out' as const, layer: 1 } }];
  const clean = await model.forward({ tokens, logits: 'last', capture });
  expect(clean.captured.get('mlp_out.1')!.shape).toEqual([tokens.length, hidden]);
  const patches = [{ site: { kind: 'mlp_out' as const, layer: 1 }, operation: { kind: 'zero' as const } }];
  const without = await model.forward({ tokens, logits: 'last', patches });
  expect(without.logits!.values).not.toEqual(clean.logits!.values);
});

test.each(['exact', 'relevance'] as const)('a gradient is refused by the name of the operator: %s', async (rules) => {
  const targets = [{ kind: 'logit' as const, terms: [{ position: tokens.length - 1, id: 5, weight: 1 }] }];
  await expect(model.gradient({ tokens, targets, at: [{ kind: 'embed' }], rules })).rejects.toThrow(
    /E_GRADIENT_UNSUPPORTED.*com\.microsoft:MoE.*mixture of experts/,
  );
});

test('its neurons are no site', async () => {
  const capture = [{ site: { kind: 'mlp_post' as const, layer: 1 } }];
  await expect(model.forward({ tokens, capture })).rejects.toMatchObject({ code: 'E_SITE_UNKNOWN' });
});
