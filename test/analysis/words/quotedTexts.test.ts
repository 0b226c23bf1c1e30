/** Targets and tokens as they stand in a sentence or a row. */
import { expect, test } from 'vitest';
import { quotedTarget } from '../../../src/analysis/words/quotedTarget.ts';
import { tokenList } from '../../../src/analysis/words/tokenList.ts';

test.each([
  ['contrast', ' Paris rather than  London', '“Paris” rather than “London”'],
  ['contrast', 'a rather than b', '“a” rather than “b”'],
  ['text', ' one rather than two', '" one rather than two"'],
  ['next', '\n', '"\\n"'],
] as const)('%s %j', (kind, label, expected) => {
  expect(quotedTarget({ kind, label })).toBe(expected);
});

test('a line breaks between tokens, not inside one', () => {
  const list = tokenList([' a b', 'c', '"']);
  expect(list.split(' ')).toEqual(['"\u00a0a\u00a0b"', '"c"', '"\\""']);
});
