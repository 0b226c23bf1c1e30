/** Models that give a tool less than it needs: what still runs, and the code and the words of what does not. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tools } from '../../src/analysis/tools/registry.ts';
import { openModel } from '../../src/engine/openModel.ts';
import type { Model } from '../../src/model/model.ts';
import { LoupeError } from '../../src/shared/errors.ts';
import type { ToolParameters } from '../../src/shared/protocol/tools.ts';
import { type TinyModel, writeTinyModel } from '../llama/tinyGguf.ts';
import { toolOn, type ToolRun } from './runTool.ts';

/** What each tool cannot do without, on a prompt about a cat. */
const given: Readonly<Record<string, ToolParameters>> = {
  patch: { corrupt: 'the dog sat', layer: 0 },
  trace: { subject: 'cat', samples: 1, layer: 0 },
  'path-patch': { corrupt: 'the dog sat' },
  circuit: { corrupt: 'the dog sat', edges: 10, draws: 2, check: 1 },
  steer: { toward: 'good day', away: 'bad days', scales: '0,1', tokens: 2 },
  intervene: { span: 'cat', values: 'cat|dog', tokens: 2 },
  ablate: { layer: 0 },
  heads: { repeat: 8 },
  counterfactual: { budget: 10 },
  'self-explanation': { template: '{prompt} {response} {count}', length: 4 },
  'chain-of-thought': { reasoning: ' One. Two. The answer is 3.' },
};

/** Tool → `ok`, or the code it is refused with. */
async function outcomes(model: Model, run: (tool: string) => ToolRun): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { id } of tools) {
    try {
      await toolOn(model, id, { parameters: given[id] ?? {}, ...run(id) });
      found.set(id, 'ok');
    } catch (error) {
      if (!(error instanceof LoupeError)) throw error;
      found.set(id, error.code);
    }
  }
  return found;
}

describe.each(['gemma2', 'gemma3'] as const)('%s, with a norm behind attention', (architecture) => {
  let file: TinyModel;
  let model: Model;
  beforeAll(async () => {
    file = writeTinyModel(architecture);
    model = await openModel(file.file, { threads: 1, contextLength: 0 });
  });
  afterAll(async () => {
    await model.dispose();
    file.remove();
  });

  const text = 'the cat sat';
  const shots = 'in: ab\nout: x\nin: cd\nout: y\nin: ef\nout:';

  test('all run but those that take attention apart', async () => {
    const found = await outcomes(model, (tool) => ({ text: tool === 'label-anchors' ? shots : text }));
    const refused = [...found].filter(([, outcome]) => outcome !== 'ok');
    expect(refused).toEqual([
      ['direct-logit', 'E_TOOL_UNSUPPORTED'],
      ['circuit', 'E_TOOL_UNSUPPORTED'],
    ]);
  });

  test.each([
    ['direct-logit', 'choose one of: lens, heads'],
    ['circuit', 'choose one of: path-patch, patch'],
  ])('%s says what it needs, and what to take instead', async (tool, action) => {
    const run = toolOn(model, tool, { text, parameters: given[tool] ?? {} });
    await expect(run).rejects.toMatchObject({
      code: 'E_TOOL_UNSUPPORTED',
      parts: {
        what: `the tool "${tool}" cannot run on this model`,
        why: 'it needs attention that is added to the residual stream without a norm of its own, which this model cannot give',
        action,
      },
    });
  });

  test('the lens of single heads runs, and warns that they do not add up', async () => {
    const { warnings } = await toolOn(model, 'lens', { text, parameters: { site: 'head', top: 2 } });
    expect(warnings.map(({ code }) => code)).toEqual(['W_HEADS_NORMED']);
    const stream = await toolOn(model, 'lens', { text, parameters: { top: 2 } });
    expect(stream.warnings).toEqual([]);
  });

  test('the weights of a head run, and warn that they do not add up', async () => {
    const { blocks } = await toolOn(model, 'weights', { text, parameters: { layer: 1, head: 1 } });
    const [last] = blocks.slice(-1);
    expect(last).toMatchObject({ kind: 'text', tone: 'warning' });
    expect(JSON.stringify(last)).toMatch(/normalise/);
  });
});

describe('a classifier', () => {
  let folder: string;
  let model: Model;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-classifier-'));
    copyFileSync('test/fixtures/onnx/bert_cls_optimum/model.onnx', path.join(folder, 'model.onnx'));
    copyFileSync('test/fixtures/onnx-tokenizers/bert_uncased/tokenizer.json', path.join(folder, 'tokenizer.json'));
    const configuration = { model_type: 'bert', id2label: { 0: 'no', 1: 'so', 2: 'yes' }, max_position_embeddings: 64 };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(configuration));
    model = await openModel(folder, { threads: 1, contextLength: 0 });
  });
  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true });
  });

  test('what is about tokens that follow is refused, the rest is about a class', async () => {
    const found = await outcomes(model, () => ({ text: 'the cat sat', target: { kind: 'class', name: 'yes' } }));
    const ofOutcome = (outcome: string) => [...found].filter(([, each]) => each === outcome).map(([tool]) => tool);
    expect(ofOutcome('E_TOOL_UNSUPPORTED')).toEqual([
      'lens',
      'direct-logit',
      'weights',
      'neurons',
      'counterfactual',
      'label-anchors',
      'self-explanation',
      'chain-of-thought',
    ]);
    expect(ofOutcome('ok')).toEqual(['heads', 'ablate', 'patch', 'trace', 'path-patch', 'circuit', 'steer', 'intervene']);
  });
});
