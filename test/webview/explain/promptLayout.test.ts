import { expect, test } from 'vitest';
import { layoutPrompt, type PromptPiece } from '../../../webview/explain/promptLayout.ts';
import { capitalExplanation, explanationOf } from '../harness/samples.ts';

/** Units in brackets, boundaries in bars, gaps as they are. */
const drawn = (pieces: readonly PromptPiece[]) =>
  pieces
    .map((piece) => (piece.type === 'unit' ? `[${piece.text}]` : piece.type === 'gap' ? piece.text : `|${piece.label}|`))
    .join('');

test('white space around a word is not tinted; a unit of white space is', () => {
  const explanation = explanationOf([
    ['The', 'text', 1],
    [' capital\n', 'text', 1],
    ['\n', 'text', 1],
    ['  of', 'text', 1],
  ]);
  expect(drawn(layoutPrompt(explanation, false))).toBe('[The] [capital]\n[\n]  [of]');
});

test('text between and after units is kept', () => {
  const explanation = explanationOf([
    ['one', 'text', 1],
    [', ', 'text', 0],
    ['two', 'text', 1],
    ['.', 'text', 0],
  ]);
  const units = explanation.units.filter((unit) => /\w/.test(unit.label));
  expect(drawn(layoutPrompt({ ...explanation, units }, false))).toBe('[one], [two].');
});

test('hidden template text becomes one boundary that names the message', () => {
  expect(drawn(layoutPrompt(capitalExplanation(), false))).toMatch(
    /^\|system\|\[You\] .*\[word\.\]\|user\|\[The\] \[Eiffel\] .*\[is\]$/,
  );
});

test('shown, every character of the prompt is there', () => {
  const explanation = capitalExplanation();
  expect(drawn(layoutPrompt(explanation, true)).replace(/[[\]]/g, '')).toBe(explanation.prompt.text);
});

test('several tokens to one character: the first carries it, the rest are fragments', () => {
  const explanation = explanationOf([['福', 'text', 1]]);
  const [unit] = explanation.units;
  const units = [unit!, { ...unit!, label: '\ufffd' }];
  expect(layoutPrompt({ ...explanation, units }, false)).toEqual([
    { type: 'unit', unit: 0, text: '福', fragment: false },
    { type: 'unit', unit: 1, text: '\ufffd', fragment: true },
  ]);
});

test('a unit without text (a token the runtime added) is a fragment with its label', () => {
  const explanation = explanationOf([['Hi', 'text', 1]]);
  const bos = { label: '<s>', kind: 'special' as const, start: 0, end: 0, tokens: [0] };
  expect(drawn(layoutPrompt({ ...explanation, units: [bos, ...explanation.units] }, true))).toBe('[<s>][Hi]');
});

test('no units: the text as it is', () => {
  expect(drawn(layoutPrompt({ ...explanationOf([['Hi', 'text', 1]]), units: [] }, false))).toBe('Hi');
});
