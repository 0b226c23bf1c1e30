import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alignment, alignTokens, applyEdit, entryAt, type TextChange } from '../../src/extension/overlay/alignment.ts';
import { partsOf, sampleDocument, sampleExplanation } from './sampleExplanation.ts';

/** What an editor does with one event: all changes count from the text before it. */
function edited(text: string, changes: readonly TextChange[]): string {
  return [...changes]
    .sort((a, b) => b.offset - a.offset)
    .reduce((now, { offset, deleted, inserted }) => now.slice(0, offset) + inserted + now.slice(offset + deleted), text);
}

function runs(alignment: Alignment, text: string): string[] {
  return Array.from(alignment.token, (_, index) => {
    const run = text.slice(alignment.start[index], alignment.end[index]);
    return alignment.stale[index] === 1 ? `~${run}` : run;
  });
}

function check(text: string, changes: readonly TextChange[], expected: readonly string[]): void {
  const alignment = applyEdit(alignTokens(sampleExplanation(partsOf(text))), changes);
  expect(runs(alignment, edited(text, changes))).toEqual(expected);
}

describe('an edit', () => {
  const cases: [name: string, text: string, changes: TextChange[], expected: string[]][] = [
    ['in front of everything moves the rest', 'one two', [{ offset: 0, deleted: 0, inserted: 'a ' }], ['one', ' two']],
    ['inside a word makes that word stale', 'one two six', [{ offset: 5, deleted: 0, inserted: 'x' }], ['one', '~ txwo', ' six']],
    ['against the end of a word changes it', 'cat sat', [{ offset: 3, deleted: 0, inserted: 's' }], ['~cat', ' sat']],
    ['of white space against a word changes nothing', 'cat sat', [{ offset: 3, deleted: 0, inserted: ' \n' }], ['cat', ' sat']],
    ['of punctuation against a word changes nothing', 'cat sat', [{ offset: 3, deleted: 0, inserted: ',' }], ['cat', ' sat']],
    ['that joins two words makes both stale', 'cat sat', [{ offset: 3, deleted: 1, inserted: '' }], ['~cat', '~sat']],
    ['that deletes a word leaves its neighbours', 'a bee c', [{ offset: 1, deleted: 4, inserted: '' }], ['a', '~', ' c']],
    [
      'with two cursors',
      'one two six',
      [
        { offset: 1, deleted: 0, inserted: 'x' },
        { offset: 9, deleted: 1, inserted: '' },
      ],
      ['~oxne', ' two', '~ sx'],
    ],
    ['with a line break of two characters', 'one\r\ntwo', [{ offset: 0, deleted: 0, inserted: 'x\r\n' }], ['one', '\r\ntwo']],
    ['beside a surrogate pair', '😀 two', [{ offset: 2, deleted: 0, inserted: '😀' }], ['😀', ' two']],
    ['beside a letter outside the first plane', '𝒳 two', [{ offset: 2, deleted: 0, inserted: '𝒴' }], ['~𝒳', ' two']],
  ];
  test.each(cases)('%s', (_name, text, changes, expected) => check(text, changes, expected));

  test('makes every token of a word stale, not only the one that was typed in', () => {
    const parts = [
      { text: 'un', score: 1 },
      { text: 'believ', score: 1 },
      { text: 'able', score: 1 },
      { text: ' end', score: 1 },
    ];
    const alignment = applyEdit(alignTokens(sampleExplanation(parts)), [{ offset: 4, deleted: 1, inserted: 'e' }]);
    expect([...alignment.stale]).toEqual([1, 1, 1, 0]);
  });
});

const piece = fc.constantFrom('word', 'naïve', '日本', '語', '😀', 'e\u0301', 'don’t', 'a_b', ',', '.', '42');
const gap = fc.constantFrom(' ', '  ', '\n', '\r\n', '\t');
const documentText = fc
  .array(fc.tuple(piece, gap), { minLength: 1, maxLength: 30 })
  .map((words) => words.map(([word, space]) => word + space).join(''));
const typed = fc.constantFrom('', 'x', ' ', 'new word', '\r\n', '😀', '語', ', ');

/** Events of one or several cursors that do not overlap, each counted from the text before it. */
function events(length: number) {
  const change = fc.record({ offset: fc.nat(length), deleted: fc.nat(6), inserted: typed });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const kept: TextChange[] = [];
    for (const next of changes.sort((a, b) => a.offset - b.offset)) {
      const floor = kept.reduce((end, last) => Math.max(end, last.offset + last.deleted), 0);
      if (next.offset >= floor && (kept.length === 0 || next.offset > floor)) {
        kept.push({ ...next, deleted: Math.min(next.deleted, length - next.offset) });
      }
    }
    return kept;
  });
}

describe('after any edits', () => {
  test('what is not stale still stands where the alignment says, in order and inside the text', () => {
    fc.assert(
      fc.property(documentText, fc.infiniteStream(fc.nat(1000)), fc.nat(5), (text, seeds, rounds) => {
        const parts = partsOf(text);
        let alignment = alignTokens(sampleExplanation(parts));
        let now = text;
        for (let round = 0; round <= rounds; round += 1) {
          const [changes = []] = fc.sample(events(now.length), { numRuns: 1, seed: seeds.next().value as number });
          alignment = applyEdit(alignment, changes);
          now = edited(now, changes);
        }
        let last = 0;
        alignment.token.forEach((token, index) => {
          const start = alignment.start[index] ?? -1;
          const end = alignment.end[index] ?? -1;
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(now.length);
          last = start;
          if (alignment.stale[index] === 0) expect(now.slice(start, end)).toBe(parts[token]?.text);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('a change that touches no word of the prompt makes nothing stale', () => {
    fc.assert(
      fc.property(documentText, fc.nat(1000), (text, at) => {
        const parts = partsOf(text);
        const alignment = alignTokens(sampleExplanation(parts));
        // Between two parts: the end of a part stands before white space.
        const borders = Array.from(alignment.end);
        const offset = borders[at % borders.length] ?? 0;
        const after = applyEdit(alignment, [{ offset, deleted: 0, inserted: ' more words ' }]);
        expect([...after.stale].every((stale) => stale === 0)).toBe(true);
      }),
    );
  });
});

test('the entry under an offset', () => {
  const alignment = alignTokens(sampleExplanation(partsOf('one two')));
  const found = [0, 2, 3, 6, 7].map((offset) => entryAt(alignment, offset));
  expect(found).toEqual([0, 0, 1, 1, -1]);
});

test('template tokens stand nowhere, and a document starts after them', () => {
  const parts = [
    { text: '<|im_start|>user\n', score: 0, kind: 'template' as const },
    { text: 'hello', score: 1 },
  ];
  const alignment = alignTokens(sampleExplanation(parts));
  expect(runs(alignment, sampleDocument(parts))).toEqual(['hello']);
});
