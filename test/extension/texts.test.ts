import { describe, expect, test } from 'vitest';
import {
  contextOverflow,
  engineCrashed,
  gradientMemory,
  gradientTarget,
  methodUnsupported,
  modelNotFound,
} from '../../src/shared/errorCatalog.ts';
import { LoupeError, toLoupeError } from '../../src/shared/errors.ts';
import type { EngineStatus, FoundModel } from '../../src/shared/protocol/engine.ts';
import { engineStatusText } from '../../src/extension/engineStatusText.ts';
import { errorOffers, errorText } from '../../src/extension/errorMessage.ts';
import { methodParameters } from '../../src/extension/explain/methodParameters.ts';
import { missingVariables } from '../../src/extension/explain/missingVariables.ts';
import { phaseText } from '../../src/extension/explain/phaseText.ts';
import { loadOptions } from '../../src/extension/models/loadOptions.ts';
import { byteSize, modelGroups } from '../../src/extension/models/modelGroups.ts';
import { fileOfNode } from '../../src/extension/models/nodeFile.ts';
import { checkedSetting } from '../../src/extension/settingsTable.ts';
import { inEnglish } from '../../src/extension/translate.ts';

describe('an error message', () => {
  test('says what, why and what to do, with its code and without a stack', () => {
    const text = errorText(contextOverflow(9000, 4096));
    expect(text).toMatch(
      /^The prompt has 9000 tokens .* 4096\. Nothing is ever cut silently\. Shorten .*\. \(E_CONTEXT_OVERFLOW\)$/,
    );
    expect(errorText(toLoupeError(new Error('boom')))).not.toMatch(/\n| at /);
  });

  const offers: [name: string, error: LoupeError, expected: string[]][] = [
    ['a model that is missing', modelNotFound('/x.gguf'), ['pickModel', 'showLog']],
    ['a prompt that is too long', contextOverflow(2, 1), ['pickModel', 'showLog']],
    ['an engine that crashed', engineCrashed('killed'), ['restartEngine', 'showLog']],
    ['a method the model cannot run', methodUnsupported('x', 'gradients', []), ['explainWith', 'showLog']],
    ['a gradient that does not fit', gradientMemory(2e9, 1e9, 'it is long'), ['explainWith', 'showLog']],
    ['a target without a gradient', gradientTarget('x', 'y', 'z'), ['setTarget', 'showLog']],
    ['anything unexpected', toLoupeError('x'), ['restartEngine', 'showLog']],
  ];
  test.each(offers)('%s offers what helps', (_name, error, expected) => {
    expect(errorOffers(error, inEnglish).map(({ command }) => command)).toEqual(expected);
  });
});

describe('the status bar', () => {
  const ready: EngineStatus = { state: 'ready', model: null, queue: [], running: null };
  const waiting = { requestId: 'b', title: 'Explain b.txt' };
  const busy: EngineStatus = { ...ready, state: 'busy', running: { requestId: 'a', title: 'Explain a.txt' }, queue: [waiting] };
  const run = { stage: null, phase: 'scoring words', done: 1, total: 4 };
  const cases: [status: EngineStatus, active: Parameters<typeof engineStatusText>[1], expected: string][] = [
    [ready, null, '$(search) Prompt Loupe: no model loaded'],
    [{ ...ready, state: 'stopped' }, null, '$(search) Prompt Loupe: engine stopped'],
    [{ ...ready, state: 'failed' }, null, '$(error) Prompt Loupe: engine failed'],
    [busy, null, '$(loading~spin) Prompt Loupe: Explain a.txt (+1)'],
    [busy, run, '$(loading~spin) Prompt Loupe: scoring words 25 % (+1)'],
    [busy, { ...run, stage: 'attention' }, '$(loading~spin) Prompt Loupe: scoring words 25 % (provisional) (+1)'],
  ];
  test.each(cases)('%j', (status, active, expected) => expect(engineStatusText(status, active, inEnglish).text).toBe(expected));

  test('names the queue in its tooltip', () => {
    expect(engineStatusText(busy, null, inEnglish).tooltip.split('\n').slice(2)).toEqual([
      'Running: Explain a.txt',
      'Waiting: Explain b.txt',
    ]);
  });
});

describe('a phase', () => {
  test.each([
    ['occlusion', 'leaving units out'],
    ['input-x-gradient', 'taking the gradient'],
    ['integrated-gradients', 'taking gradients along the path'],
    ['gradient (0.6 GB)', 'taking the gradient, 0.6 GB of memory'],
    ['gradient (1,200 MB)', 'taking the gradient, 1,200 MB of memory'],
    ['unheard of', 'unheard of'],
    ['unheard of (again)', 'unheard of (again)'],
  ])('%s reads: %s', (phase, text) => expect(phaseText(phase, inEnglish)).toBe(text));
});

describe('what the engine is given', () => {
  const precision = { id: 'precision', label: 'Weights', default: 'as-served', choices: ['as-served', 'dequantised'] };
  const memory = { threads: 2, contextLength: 0, gradientMemory: 0, weightMemory: -1, onnxProvider: 'cpu' };
  test.each([
    [memory, { threads: 2, contextLength: 0, gradientBytes: 0 }],
    [
      { ...memory, gradientMemory: 850, weightMemory: 0 },
      { threads: 2, contextLength: 0, gradientBytes: 850e6, weightBytes: 0 },
    ],
    [
      { ...memory, weightMemory: 300 },
      { threads: 2, contextLength: 0, gradientBytes: 0, weightBytes: 300e6 },
    ],
    [
      { ...memory, onnxProvider: 'webgpu' },
      { threads: 2, contextLength: 0, gradientBytes: 0, provider: 'webgpu' },
    ],
  ])('to load a model: %j', (settings, options) => expect(loadOptions(settings)).toEqual(options));

  test.each([
    [[{ id: 'norm', label: '', default: 'l2' }, precision], { precision: 'dequantised' }],
    [[{ id: 'norm', label: '', default: 'l2' }], {}],
  ])('for a method with the parameters %j', (parameters, given) =>
    expect(methodParameters({ parameters }, { precision: 'dequantised' })).toEqual(given),
  );

  test('for a method the engine does not have: nothing', () =>
    expect(methodParameters(undefined, { precision: 'dequantised' })).toEqual({}));
});

describe('models', () => {
  const model = (name: string, source: FoundModel['source'], file = `/m/${name}`): FoundModel => ({
    name,
    file,
    bytes: 1,
    source,
  });

  test('are grouped by source, bundled first, sorted, each file once', () => {
    const groups = modelGroups(
      [model('b', 'ollama'), model('z', 'bundled', '/m/z'), model('a', 'ollama'), model('again', 'folder', '/m/z')],
      inEnglish,
    );
    expect(groups.map(({ label, models }) => [label, ...models.map(({ name }) => name)])).toEqual([
      ['Bundled', 'z'],
      ['Ollama', 'a', 'b'],
    ]);
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [91_700_000, '91.7 MB'],
    [4_370_000_000, '4.4 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(byteSize(bytes)).toBe(text));

  test.each([
    [{ kind: 'model', model: { file: '/a.gguf' } }, '/a.gguf'],
    [{ model: { file: 7 } }, null],
    [{ model: null }, null],
    ['/a.gguf', null],
    [undefined, null],
  ])('a tree item %j stands for %s', (node, file) => expect(fileOfNode(node)).toBe(file));
});

describe('a setting', () => {
  const cases: [name: Parameters<typeof checkedSetting>[0], raw: unknown, expected: unknown][] = [
    ['maxTokens', 10, 10],
    ['maxTokens', 1e9, 4096],
    ['maxTokens', 2.6, 3],
    ['maxTokens', 'many', 32],
    ['maxTokens', Number.NaN, 32],
    ['intensity', 0.3, 0.3],
    ['gradientMemory', -5, 0],
    ['onnxProvider', 'webgpu', 'webgpu'],
    ['onnxProvider', '/lib/evil.so', 'cpu'],
    ['weightMemory', -1, -1],
    ['weightMemory', null, -1],
    ['precision', 'fp8', 'as-served'],
    ['granularity', 'line', 'line'],
    ['granularity', 'letter', 'word'],
    ['modelFolders', ['/a', 3, ''], ['/a']],
    ['modelFolders', '/a', []],
    ['modelPath', null, ''],
    ['showTemplateTokens', 'true', false],
  ];
  test.each(cases)('%s = %j is read as %j', (name, raw, expected) => expect(checkedSetting(name, raw)).toEqual(expected));
});

describe('missing variables', () => {
  const missing = (names: unknown) =>
    new LoupeError({ code: 'E_VARIABLE_MISSING', kind: 'input', what: '', why: '', action: '', details: { names } });
  const cases: [name: string, thrown: unknown, expected: string[] | null][] = [
    ['their names, once each', missing(['a', 'b', 'a']), ['a', 'b']],
    ['no names', missing([]), null],
    ['names that are none', missing([1, '']), null],
    ['another error', new Error('x'), null],
  ];
  test.each(cases)('%s', (_name, thrown, expected) => expect(missingVariables(thrown)).toEqual(expected));
});
