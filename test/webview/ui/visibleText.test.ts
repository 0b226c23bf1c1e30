import { expect, test } from 'vitest';
import { quotedLabel, visibleLabel, visibleText } from '../../../webview/ui/visibleText.ts';

test.each([
  // text, as prose, as a label
  ['plain', 'plain', 'plain'],
  [' Paris', ' Paris', '␣Paris'],
  ['a  b ', 'a  b ', 'a␣␣b␣'],
  ['a b', 'a b', 'a b'],
  ['\n', '\n', '↵'],
  ['\r\n', '\n', '␍↵'],
  ['\r', '␍', '␍'],
  ['\t', '\t', '⇥'],
  ['\u0000\u0007\u001b', '␀␇␛', '␀␇␛'],
  ['\u007f', '␡', '␡'],
  ['\u0085', '⟨0085⟩', '⟨0085⟩'],
  ['\u202eevil\u202c', '⟨202E⟩evil⟨202C⟩', '⟨202E⟩evil⟨202C⟩'],
  ['\u200f\u2066\u2069', '⟨200F⟩⟨2066⟩⟨2069⟩', '⟨200F⟩⟨2066⟩⟨2069⟩'],
  ['a\u200bb\ufeff', 'a⟨200B⟩b⟨FEFF⟩', 'a⟨200B⟩b⟨FEFF⟩'],
  ['\u2028', '⟨2028⟩', '⟨2028⟩'],
  ['\ud800x', '\ufffdx', '\ufffdx'],
  ['\u{e0041}', '⟨E0041⟩', '⟨E0041⟩'],
  ['👩‍👩‍👧', '👩‍👩‍👧', '👩‍👩‍👧'],
  ['שלום', 'שלום', 'שלום'],
  ['中文', '中文', '中文'],
  ['', '', ''],
])('%j', (text, prose, label) => {
  expect(visibleText(text)).toBe(prose);
  expect(visibleLabel(text)).toBe(label);
});

test('a long label is cut between characters, never inside one', () => {
  expect(quotedLabel('👍👍👍', 2)).toBe('‘👍👍…’');
  expect(quotedLabel('ab', 2)).toBe('‘ab’');
});
