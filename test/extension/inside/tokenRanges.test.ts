import { expect, test } from 'vitest';
import { tokenRanges } from '../../../src/extension/inside/tokenRanges.ts';
import { alignTokens, applyEdit } from '../../../src/extension/overlay/alignment.ts';

const text = 'One two three';
const tokens = [
  { id: 0, text: '<s>', start: 0, end: 0, special: true },
  { id: 1, text: 'One', start: 0, end: 3, special: false },
  { id: 2, text: ' two', start: 3, end: 7, special: false },
  { id: 3, text: ' three', start: 7, end: 13, special: false },
];
const sourceMap = [{ start: 0, end: 13, documentStart: 100 }];
const alignment = alignTokens({ tokens, prompt: { mode: 'raw', text, sections: [], sourceMap } });

test.each([
  [[1], [{ start: 100, end: 103 }]],
  [[1, 2], [{ start: 100, end: 107 }]],
  [
    [1, 3],
    [
      { start: 100, end: 103 },
      { start: 107, end: 113 },
    ],
  ],
  [[0, 99], []],
  [[], []],
])('tokens %j stand at %j', (wanted, expected) => expect(tokenRanges(alignment, wanted)).toEqual(expected));

test('they move with an edit before them', () => {
  const moved = applyEdit(alignment, [{ offset: 0, deleted: 0, inserted: 'abc' }]);
  expect(tokenRanges(moved, [2])).toEqual([{ start: 106, end: 110 }]);
});
