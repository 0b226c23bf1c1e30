import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth, fitWidth, padWidth } from '../../src/cli/terminal/displayWidth.ts';
import { wrapSpans } from '../../src/cli/terminal/wrapSpans.ts';

const plain = (text: string) => text;
const bracket = (text: string) => `<${text}>`;

describe('displayWidth', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['你好', 4],
    ['ｆｕｌｌ', 8],
    ['e\u0301', 1],
    ['😀', 2],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['한국', 4],
    ['–…', 2],
  ])('%j takes %i columns', (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });

  test.each([
    ['abcdef', 4, 'abc…'],
    ['abc', 4, 'abc'],
    ['你好世界', 5, '你好…'],
    ['你好世界', 4, '你…'],
  ])('fitWidth(%j, %i)', (text, columns, fitted) => {
    expect(fitWidth(text, columns)).toBe(fitted);
  });

  test('padWidth fills to the column', () => {
    expect(padWidth('你', 4)).toBe('你  ');
  });
});

describe('wrapSpans', () => {
  test.each([
    ['a bc def', 4, ['a bc', 'def']],
    ['abcdefgh', 3, ['abc', 'def', 'gh']],
    ['你好世界', 5, ['你好', '世界']],
    ['a\n\nb', 10, ['a', '', 'b']],
    ['  indented', 12, ['  indented']],
    ['one  two', 5, ['one', 'two']],
    ['', 5, ['']],
    ['tail ', 10, ['tail']],
  ])('%j in %i columns', (text, columns, lines) => {
    expect(wrapSpans([{ text, paint: plain }], columns)).toEqual(lines);
  });

  test('a word over several spans is not torn, and neighbours of one style are painted once', () => {
    const spans = [
      { text: 'a un', paint: plain },
      { text: 'believ', paint: bracket },
      { text: 'able', paint: bracket },
    ];
    expect(wrapSpans(spans, 14)).toEqual(['a un<believable>']);
    expect(wrapSpans(spans, 13)).toEqual(['a', 'un<believable>']);
  });

  test('no line is too wide and no word is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 })), fc.integer({ min: 2, max: 30 }), (parts, columns) => {
        const texts = parts.map((part) => part.replace(/[^\P{C}\n]/gu, ''));
        const lines = wrapSpans(
          texts.map((text) => ({ text, paint: plain })),
          columns,
        );
        const withoutSpace = (text: string) => text.replace(/[ \n]/g, '');
        expect(withoutSpace(lines.join(''))).toBe(withoutSpace(texts.join('')));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
