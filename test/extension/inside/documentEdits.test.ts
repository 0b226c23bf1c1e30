import { describe, expect, test } from 'vitest';
import { documentEdits, type TextEdit } from '../../../src/extension/inside/documentEdits.ts';
import { inEnglish } from '../../../src/extension/translate.ts';

/** A template around two messages that stand in the document in another order. */
const promptText = '<user>Hello there\n<bot>Good day';
const document = 'Good day / Hello there';
const sourceMap = [
  { start: 6, end: 17, documentStart: 11 },
  { start: 23, end: 31, documentStart: 0 },
];

const mapped = (edits: readonly TextEdit[], text = document) => documentEdits(edits, promptText, sourceMap, text, inEnglish);

const applied = (edits: readonly TextEdit[]) =>
  mapped(edits)
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: inserted }) => text.slice(0, start) + inserted + text.slice(end), document);

describe('an edit of the prompt becomes one of the document', () => {
  const cases: [name: string, edits: TextEdit[], expected: string][] = [
    ['a word', [{ start: 6, end: 11, text: 'Bye' }], 'Good day / Bye there'],
    [
      'two words, in two places',
      [
        { start: 12, end: 17, text: 'you' },
        { start: 23, end: 27, text: 'Bad' },
      ],
      'Bad day / Hello you',
    ],
    ['a deletion', [{ start: 11, end: 17, text: '' }], 'Good day / Hello'],
    ['an insertion at the end of a run', [{ start: 17, end: 17, text: '!' }], 'Good day / Hello there!'],
    ['nothing', [], document],
  ];
  test.each(cases)('%s', (_name, edits, expected) => expect(applied(edits)).toBe(expected));
});

describe('it is refused', () => {
  const cases: [name: string, edit: TextEdit, text?: string][] = [
    ['on text the template added', { start: 0, end: 6, text: 'x' }],
    ['across the end of a run', { start: 12, end: 20, text: 'x' }],
    ['where the document reads otherwise', { start: 6, end: 11, text: 'x' }, 'Good day / Hallo there'],
  ];
  test.each(cases)('%s', (_name, edit, text) => {
    expect(() => mapped([edit], text)).toThrow(expect.objectContaining({ code: 'E_EDIT_UNFIT' }));
  });
});
