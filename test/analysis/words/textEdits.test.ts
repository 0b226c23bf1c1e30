import { expect, test } from 'vitest';
import { applyEdits, deletedRange } from '../../../src/analysis/words/textEdits.ts';

test.each([
  ['The cat sat.', 'cat', 'The sat.'],
  ['The cat sat.', 'The', 'cat sat.'],
  ['The cat sat.', 'sat.', 'The cat'],
  ['one\ntwo three', 'two', 'one\nthree'],
  ['one\n  two three', 'two', 'one\n  three'],
  ['one two\nthree', 'two', 'one\nthree'],
  ['one two\r\nthree', 'three', 'one two\r\n'],
  ['我爱猫', '爱', '我猫'],
  ['alone', 'alone', ''],
])('without a word: %j', (text, word, expected) => {
  const start = text.indexOf(word);
  expect(applyEdits(text, [{ ...deletedRange(text, { start, end: start + word.length }), text: '' }])).toBe(expected);
});

test('edits are placed in the text before any of them', () => {
  const edits = [
    { start: 4, end: 7, text: 'elephant' },
    { start: 0, end: 3, text: 'A' },
  ];
  expect(applyEdits('The cat sat', edits)).toBe('A elephant sat');
});
