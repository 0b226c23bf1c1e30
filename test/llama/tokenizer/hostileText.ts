import fc from 'fast-check';

/** Text of everything that is known to trip tokenisers. Never with lone surrogates. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '👍🏽',
        '👩‍👩‍👧',
        '🇩🇪',
        '你好',
        'こんにちは',
        '한국어',
        'e\u0301',
        'ñ',
        'Ⅳ',
        '½',
        'ﬁ',
        '\u200B',
        '\uFEFF',
        '\u00A0',
      ),
      fc.constantFrom(
        '\r\n',
        '\n\n',
        '\t',
        '  ',
        ' ',
        '\u0000',
        '\u001F',
        '▁',
        'Ġ',
        '<|im_start|>',
        '<|im_end|>',
        '<s>',
        '</s>',
        '<0x0A>',
      ),
      fc.constantFrom('The', ' cat', "don't", '123', '3.14', 'foo_bar()', '”', 'مرحبا', 'שלום', 'ไทย', '\u{1D54F}', '\u{10FFFF}'),
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replace(/\p{Surrogate}/gu, '')),
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));
