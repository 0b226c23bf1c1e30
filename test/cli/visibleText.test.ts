import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visibleLines, visibleText } from '../../src/cli/terminal/visibleText.ts';

describe('visibleText', () => {
  test.each([
    ['plain', 'plain'],
    ['\u001b[31mred', '␛[31mred'],
    ['\u001b]0;title\u0007', '␛]0;title␇'],
    ['\u009b31m', '<U+009B>31m'],
    ['a\nb\tc\r', 'a⏎b⇥c␍'],
    ['\u007f', '␡'],
    ['\u202eevil', '<U+202E>evil'],
    ['a\u200bb\ufeff', 'a<U+200B>b<U+FEFF>'],
    ['\ud83d', '\ufffd'],
    ['\ude00', '\ufffd'],
    ['😀', '😀'],
    ['👩‍👩‍👧', '👩‍👩‍👧'],
    ['a\u2028b', 'a<U+2028>b'],
    ['\u{e0041}', '<U+E0041>'],
    ['é e\u0301 你', 'é e\u0301 你'],
  ])('%j → %j', (text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  test('no text can move the cursor or start an escape sequence', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visibleText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(visibleLines(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test('lines keep their breaks, whatever the platform that wrote them', () => {
    expect(visibleLines('a\r\nb\nc\td')).toBe('a\nb\nc    d');
  });
});
