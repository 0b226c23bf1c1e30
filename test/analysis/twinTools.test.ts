/** Every tool on the same weights as an ONNX folder and as a GGUF file: two runtimes, two tokenizers, the same findings. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tools } from '../../src/analysis/tools/registry.ts';
import { openModel } from '../../src/engine/openModel.ts';
import type { Model } from '../../src/model/model.ts';
import { type TwinModels, writeTwinModels } from '../onnx/twinModels.ts';
import { toolOn, type ToolRun } from './runTool.ts';

let files: TwinModels;
let onnx: Model;
let gguf: Model;
beforeAll(async () => {
  files = writeTwinModels();
  onnx = await openModel(files.onnx, { threads: 1, contextLength: 256 });
  gguf = await openModel(files.gguf, { threads: 1, contextLength: 256 });
});
afterAll(async () => {
  await onnx.dispose();
  await gguf.dispose();
  files.remove();
});

const text = 'The cat sat on the mat.';
const corrupt = 'The dog sat on the mat.';
const shots = 'in: ab\nout: x\nin: cd\nout: y\nin: ef\nout:';
const cases = '{"text":"gh","label":"x"}\n{"text":"ij","label":"y"}';

/** At least one run of each tool. */
const runs: Readonly<Record<string, readonly ToolRun[]>> = {
  lens: [
    { text, parameters: { top: 3 } },
    { text, parameters: { site: 'head', top: 2 } },
  ],
  'direct-logit': [{ text }],
  weights: [
    { text, parameters: { layer: 1, head: 1 } },
    { text, parameters: { component: 'neuron', layer: 1 } },
  ],
  heads: [{ text, parameters: { repeat: 8 } }],
  neurons: [{ text, parameters: { top: 2 } }],
  ablate: [
    { text, parameters: { what: 'head', how: 'zero' } },
    { text, parameters: { what: 'resid', how: 'mean', layer: 1 } },
    { text, parameters: { what: 'neuron', how: 'shuffle', layer: 0 } },
  ],
  patch: [
    { text, parameters: { corrupt, estimate: 'beside' } },
    { text, parameters: { corrupt, site: 'z', by: 'head', direction: 'noise', layer: 1 } },
  ],
  trace: [{ text, parameters: { subject: 'cat', samples: 2 } }],
  'path-patch': [
    { text, parameters: { corrupt } },
    { text, parameters: { corrupt, receiver: 'head 1.2', input: 'k' } },
  ],
  circuit: [{ text, parameters: { corrupt, edges: 20, draws: 3, check: 3 } }],
  steer: [{ text, parameters: { toward: 'good day', away: 'bad days', scales: '-1,0,1', tokens: 3 } }],
  intervene: [{ text, parameters: { span: 'cat', values: 'cat|dog|bird', tokens: 2 } }],
  counterfactual: [{ text, parameters: { budget: 30 } }],
  'label-anchors': [{ text: shots, parameters: { cases } }],
  'self-explanation': [{ text, parameters: { template: '{prompt} {response}: {count} words?', length: 8, count: 2 } }],
  'chain-of-thought': [{ text, parameters: { reasoning: ' One and 2 are 3. We add them. The answer is 3.' } }],
};

test('the twins read a text alike and answer alike', async () => {
  for (const written of [text, shots, 'Zoë’s café\r\n🐈‍⬛ 42\t!', '  spaces   stand ']) {
    const [a, b] = await Promise.all([onnx, gguf].map(({ tokenizer }) => tokenizer.encode(written)));
    const shown = (found: typeof a) => found?.tokens.map(({ id, start, end }) => [id, start, end]);
    expect(shown(a)).toEqual(shown(b));
  }
  const tokens = Int32Array.from((await onnx.tokenizer.encode(text)).tokens, ({ id }) => id);
  const [a, b] = await Promise.all([onnx, gguf].map((model) => model.forward({ tokens, logits: 'all' })));
  expect(differences(a?.logits?.values, b?.logits?.values, 1e-4)).toEqual([]);
});

test('every tool is run', () => {
  expect(Object.keys(runs)).toEqual(tools.map(({ id }) => id));
});

test.each(Object.entries(runs).flatMap(([tool, list]) => list.map((run) => [tool, run.parameters ?? {}, run] as const)))(
  '%s %j: the same of both',
  async (tool, _, run) => {
    const [ofOnnx, ofGguf] = [await toolOn(onnx, tool, run), await toolOn(gguf, tool, run)];
    expect(differences(ofOnnx.data, ofGguf.data, 2e-3)).toEqual([]);
    expect(ofOnnx.blocks.map(({ kind }) => kind)).toEqual(ofGguf.blocks.map(({ kind }) => kind));
    expect(ofOnnx.blocks.length).toBeGreaterThan(0);
  },
);

/** Places in which two results differ, numbers by more than the share of the larger one (or of 1). */
function differences(a: unknown, b: unknown, tolerance: number, at = ''): string[] {
  if (typeof a === 'number' && typeof b === 'number') {
    const isClose = Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
    return isClose || Object.is(a, b) ? [] : [`${at}: ${a} and ${b}`];
  }
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    return a === b ? [] : [`${at}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
  }
  const [own, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  const keys = [...new Set([...own.keys(), ...other.keys()])];
  return keys.flatMap((key) => differences(own.get(key), other.get(key), tolerance, `${at}.${key}`));
}
