import { describe, expect, test } from 'vitest';
import { toolChoices } from '../../../src/extension/inside/toolChoices.ts';
import { runsAsItIs, toolValues } from '../../../src/extension/inside/toolValues.ts';
import { parseInsidePanelOut } from '../../../src/extension/panels/insideMessages.ts';
import { inEnglish } from '../../../src/extension/translate.ts';
import type { ToolDescription, ToolParameter } from '../../../src/shared/protocol/tools.ts';

const words = { label: '', help: '' };
const layer: ToolParameter = { ...words, id: 'layer', kind: 'number', default: -1 };
const cases: ToolParameter = { ...words, id: 'cases', kind: 'file' };
const corrupt: ToolParameter = { ...words, id: 'corrupt', kind: 'prompt', required: true };
const span: ToolParameter = { ...words, id: 'span', kind: 'text', default: '', required: true };

describe('values for a tool', () => {
  const picked = new Map([['cases', { name: 'cases.jsonl', text: '{"text":"a"}' }]]);
  test.each([
    ['the form’s', { layer: 3 }, new Map(), { layer: 3 }],
    ['nothing given: the engine knows the defaults', {}, new Map(), {}],
    ['a picked file’s text', {}, picked, { cases: '{"text":"a"}' }],
    ['no text the page gives for a file', { cases: '/etc/passwd' }, new Map(), {}],
    ['nothing the tool does not have', { other: 1, constructor: 2 }, new Map(), {}],
  ])('%s', (_name, given, files, expected) => expect(toolValues({ parameters: [layer, cases] }, given, files)).toEqual(expected));
});

test.each([
  [[layer, cases], true],
  [[corrupt], false],
  [[span], false],
  [[{ ...span, default: 'x' }], true],
])('whether a tool runs as it is: %#', (parameters, expected) => expect(runsAsItIs({ parameters })).toBe(expected));

test('tools stand in their families, and one that cannot run says why', () => {
  const tool = (id: string, family: ToolDescription['family'], missing?: 'gradient'): ToolDescription => ({
    id,
    family,
    label: id,
    question: '?',
    parameters: [],
    usesTarget: false,
    available: missing === undefined,
    ...(missing === undefined ? {} : { missing }),
  });
  const choices = toolChoices(
    [tool('lens', 'layers'), tool('heads', 'heads', 'gradient'), tool('weights', 'layers')],
    'm.onnx',
    inEnglish,
  );
  expect(choices.map(({ id, family, unavailable }) => [id, family, unavailable])).toEqual([
    ['lens', 'Layers', null],
    ['weights', 'Layers', null],
    ['heads', 'Attention heads', 'm.onnx gives no gradients'],
  ]);
});

describe('a message of the Inside panel', () => {
  const run = { type: 'run', tool: 'lens', parameters: { layer: 3, site: 'mlp_out', exact: true }, target: null };
  const good: unknown[] = [
    { type: 'ready' },
    run,
    { ...run, target: { kind: 'contrast', a: 'x', b: 'y' } },
    { type: 'markTokens', tokens: [] },
    { type: 'drawScores', block: null },
  ];
  test.each(good)('%j is one', (message) => expect(parseInsidePanelOut(message)).toEqual(message));

  const bad: unknown[] = [
    null,
    { type: 'launch' },
    { ...run, parameters: { layer: Number.NaN } },
    { ...run, parameters: { layer: { deep: 1 } } },
    { ...run, target: { kind: 'next', more: 1 } },
    { type: 'markTokens', tokens: [-1] },
    { type: 'applyEdit', block: 0, edits: [] },
    { type: 'ready', extra: true },
  ];
  test.each(bad)('%j is none', (message) => expect(parseInsidePanelOut(message)).toBeNull());
});
