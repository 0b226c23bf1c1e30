/** Tools as the engine runs them, on a model of a few thousand weights. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tools } from '../../../src/analysis/tools/registry.ts';
import { describeTools, runTool } from '../../../src/engine/requests/tool.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { ToolRequest } from '../../../src/shared/protocol/tools.ts';
import { testModels } from '../../setup/testModels.ts';
import { recordRequest } from './requestRecorder.ts';

const yml = 'messages:\n  - role: user\n    content: Hello {{name}}\n';
const all = { capture: true, patch: true, gradient: true, language: true };

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(testModels.tinyLlama, { threads: 1, contextLength: 64 });
});
afterAll(() => model.dispose());

const request: ToolRequest = {
  tool: 'ablate',
  prompt: { text: 'The cat sat', format: 'text', mode: 'raw' },
  parameters: { what: 'mlp' },
  target: { kind: 'next' },
  maxTokens: 4,
  seed: 1,
};

describe('what the picker is told', () => {
  test('every tool in the order of the list, as plain data', () => {
    const described = describeTools(all);
    expect(described.map(({ id }) => id)).toEqual(tools.map(({ id }) => id));
    expect(structuredClone(described)).toEqual(described);
  });

  test('without a model every tool counts as available', () => {
    expect(describeTools(null).every(({ available }) => available)).toBe(true);
  });

  test('a model that only runs forward passes leaves those that need no more', () => {
    const bare = describeTools({ capture: false, patch: false, gradient: false, language: true });
    const expected = tools
      .filter(({ needs }) => needs.every((need) => need === 'forward' || need === 'language'))
      .map(({ id }) => id);
    expect(bare.filter(({ available }) => available).map(({ id }) => id)).toEqual(expected);
    expect(expected.length).toBeLessThan(tools.length);
  });
});

describe('a run', () => {
  test('defaults are filled in, and the prompt comes back with its tokens and its places', async () => {
    const result = await runTool(recordRequest(model), request);
    expect(result).toMatchObject({ tool: 'ablate', label: 'Ablation', promptText: 'The cat sat' });
    expect(result.parameters).toEqual({ what: 'mlp', by: 'part', neurons: '', how: 'zero', layer: -1, other: '' });
    const { tokens } = await model.tokenizer.encode('The cat sat');
    expect(result.tokens.map(({ id }) => id)).toEqual(tokens.map(({ id }) => id));
    expect(result.sourceMap).toEqual([{ start: 0, end: 11, documentStart: 0 }]);
    expect(result.cost.forwardPasses).toBeGreaterThan(0);
    // It crosses a process boundary.
    expect(structuredClone(result)).toEqual(result);
  });

  test('of a selection counts places in the document', async () => {
    const prompt = { ...request.prompt, text: 'Not this. The cat sat', selection: { start: 10, end: 21 } };
    const { promptText, sourceMap } = await runTool(recordRequest(model), { ...request, prompt });
    expect(promptText).toBe('The cat sat');
    expect(sourceMap).toEqual([{ start: 0, end: 11, documentStart: 10 }]);
  });

  test('gives the same bytes twice, whatever ran between', async () => {
    const first = await runTool(recordRequest(model), request);
    await runTool(recordRequest(model), { ...request, parameters: { what: 'head' } });
    const second = await runTool(recordRequest(model), request);
    expect(second.data).toEqual(first.data);
    expect(second.blocks).toEqual(first.blocks);
  });

  test('reads another prompt as the first one was read: the selection is not a place in it', async () => {
    const prompt = { ...request.prompt, text: 'Not this. The cat sat', selection: { start: 10, end: 21 } };
    const parameters = { what: 'resid', how: 'resample', other: 'The cat sat' };
    const { data } = await runTool(recordRequest(model), { ...request, prompt, parameters });
    // Values of the same prompt put in their own place change nothing.
    const numbers = JSON.stringify(data, (_, value: unknown) =>
      ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value,
    );
    const { values } = JSON.parse(numbers) as { values: number[][] };
    expect(values.flat().length).toBeGreaterThan(0);
    for (const change of values.flat()) expect(Math.abs(change)).toBeLessThan(1e-4);
  });

  test('tells how far it is', async () => {
    const recorder = recordRequest(model);
    await runTool(recorder, request);
    expect(recorder.phases).toContain('ablating');
  });
});

describe('refused', () => {
  test.each<[string, Partial<ToolRequest>]>([
    ['E_TOOL_UNKNOWN', { tool: 'look' }],
    ['E_TOOL_PARAMETER', { parameters: { layers: 3 } }],
    ['E_TOOL_PARAMETER', { parameters: { what: 'everything' } }],
    ['E_LAYER_RANGE', { parameters: { layer: 99 } }],
    ['E_PROMPT_EMPTY', { prompt: { text: '', format: 'text', mode: 'raw' } }],
    ['E_VARIABLE_MISSING', { prompt: { text: yml, format: 'prompt-yml', mode: 'raw' } }],
    ['E_CONTEXT_OVERFLOW', { prompt: { text: 'a '.repeat(200), format: 'text', mode: 'raw' } }],
    ['E_TARGET_EMPTY', { target: { kind: 'text', text: '' } }],
    ['E_TARGET_RANGE', { target: { kind: 'id', id: 1e6 } }],
    ['E_TOOL_PARAMETER', { tool: 'patch', parameters: {} }],
  ])('%s, case %#', async (code, more) => {
    await expect(runTool(recordRequest(model), { ...request, ...more })).rejects.toMatchObject({ code });
  });

  test('a parameter that is wrong, before the prompt is looked at', async () => {
    const wrong = { ...request, parameters: { what: 'everything' }, prompt: { ...request.prompt, text: '' } };
    await expect(runTool(recordRequest(model), wrong)).rejects.toMatchObject({ code: 'E_TOOL_PARAMETER' });
  });

  test('a model without the ability', async () => {
    const reader: Model = Object.create(model, {
      info: { value: { ...model.info, can: { ...model.info.can, capture: false, patch: false } } },
    }) as Model;
    await expect(runTool(recordRequest(reader), request)).rejects.toMatchObject({ code: 'E_TOOL_UNSUPPORTED' });
  });

  test('cancelled before it starts, and after the first of its steps', async () => {
    await expect(runTool(recordRequest(model, AbortSignal.abort()), request)).rejects.toMatchObject({ code: 'E_CANCELLED' });
    const controller = new AbortController();
    const recorder = recordRequest(model, controller.signal);
    const context = { ...recorder, progress: () => controller.abort() };
    await expect(runTool(context, request)).rejects.toMatchObject({ code: 'E_CANCELLED' });
    // The next request is none the worse.
    expect((await runTool(recordRequest(model), request)).blocks.length).toBeGreaterThan(0);
  });
});
