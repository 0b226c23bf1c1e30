import { describe, expect, test } from 'vitest';
import type { ToolParameter } from '../../../src/shared/protocol/tools.ts';
import { insideStrings } from '../../../webview/inside/insideStrings.ts';
import { type FieldTexts, parameterValues } from '../../../webview/inside/parameterValues.ts';
import { emptyTarget, targetOf } from '../../../webview/inside/targetForm.ts';

const text = insideStrings('en');
const words = { label: '', help: '' };
const layer: ToolParameter = { ...words, id: 'layer', kind: 'number', default: -1, minimum: -1, maximum: 29, whole: true };
const noise: ToolParameter = { ...words, id: 'noise', kind: 'number', default: 3 };
const site: ToolParameter = { ...words, id: 'site', kind: 'choice', choices: ['a', 'b'], default: 'a' };
const exact: ToolParameter = { ...words, id: 'exact', kind: 'boolean', default: true };
const span: ToolParameter = { ...words, id: 'span', kind: 'text', default: '', required: true };
const corrupt: ToolParameter = { ...words, id: 'corrupt', kind: 'prompt', required: true };
const train: ToolParameter = { ...words, id: 'train', kind: 'file', required: true };

describe('fields become values', () => {
  const cases: [parameters: ToolParameter[], fields: FieldTexts, values: object][] = [
    [[layer, site, exact], {}, {}],
    [[layer], { layer: ' 12 ' }, { layer: 12 }],
    [[layer], { layer: '−1' }, { layer: -1 }],
    [[layer], { layer: '' }, {}],
    [[noise], { noise: '1e-3' }, { noise: 0.001 }],
    [[site, exact], { site: 'b', exact: false }, { site: 'b', exact: false }],
    [[span], { span: ' Paris' }, { span: ' Paris' }],
    [[layer], { other: '1' }, {}],
  ];
  test.each(cases)('%#: %j', (parameters, fields, values) =>
    expect(parameterValues(parameters, fields, {}, text)).toEqual({ values, problems: {} }),
  );
});

describe('what is wrong is said', () => {
  const cases: [parameter: ToolParameter, field: string | undefined, problem: string][] = [
    [layer, 'twelve', 'Give a number.'],
    [layer, '   ', 'Give a number.'],
    [layer, 'Infinity', 'Give a number.'],
    [layer, '1.5', 'Give a whole number.'],
    [layer, '-2', 'Give -1 or more.'],
    [layer, '30', 'Give 29 or less.'],
    [span, undefined, 'Give this first.'],
    [corrupt, '', 'Give this first.'],
    [train, undefined, 'Give this first.'],
  ];
  test.each(cases)('%#: %j', (parameter, field, problem) => {
    const fields = field === undefined ? {} : { [parameter.id]: field };
    expect(parameterValues([parameter], fields, {}, text).problems).toEqual({ [parameter.id]: problem });
  });

  test('not of a file that was picked', () =>
    expect(parameterValues([train], {}, { train: 'x.txt' }, text).problems).toEqual({}));
});

describe('the target', () => {
  const explained = { target: { kind: 'span', from: 1, to: 2 } as const, label: 'x' };
  const subject = { document: 'a.md', selection: false, explained };
  const nothing = { ...subject, explained: null };
  test.each([
    [emptyTarget, nothing, { target: { kind: 'next' }, isReady: true }],
    [emptyTarget, subject, { target: null, isReady: true }],
    [{ ...emptyTarget, kind: 'explained' as const }, nothing, { target: { kind: 'next' }, isReady: true }],
    [{ ...emptyTarget, kind: 'response' as const }, subject, { target: { kind: 'response' }, isReady: true }],
    [{ ...emptyTarget, kind: 'text' as const }, null, { target: { kind: 'text', text: '' }, isReady: false }],
    [
      { ...emptyTarget, kind: 'contrast' as const, a: ' a', b: ' b' },
      null,
      { target: { kind: 'contrast', a: ' a', b: ' b' }, isReady: true },
    ],
  ])('%#', (fields, about, expected) => expect(targetOf(fields, about)).toEqual(expected));
});
