import fc from 'fast-check';

// The same texts on every run: a failure must be there again when someone looks.
fc.configureGlobal({ seed: 3 });

const pieces = [
  'a',
  'word',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\n\n',
  '.',
  ',',
  ':',
  ': ',
  '#',
  ' #',
  '- ',
  '* ',
  '> ',
  '```\n',
  '|',
  '1. ',
  '"',
  "'",
  "''",
  '\\',
  '\\n',
  '\\u0041',
  '{',
  '}',
  '{{',
  '}}',
  '{{ }}',
  '{{{x',
  '[',
  ']',
  '&a',
  '*a',
  '!t',
  '%',
  '@',
  '`',
  '---',
  '...',
  '?',
  'true',
  '0x1',
  '~',
  'é',
  'e\u0301',
  'n\u0303\u0323',
  '中',
  '国',
  '東京',
  'ไทย',
  'שלום',
  'مرحبا',
  '한국어',
  '🙂',
  '👩‍👩‍👧‍👦',
  '🇫🇷',
  '👍🏽',
  '𝔘',
  '\u200b',
  '\u00a0',
  '\u2028',
  '<|im_end|>',
  '</think>',
];

/** Text that breaks naive offset arithmetic: surrogate pairs, combining marks, CRLF, tabs, YAML and JSON syntax, lone braces. */
const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'grapheme', maxLength: 4 })), { minLength: 1, maxLength: 24 })
  .map((parts) => parts.join(''));

const control = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/u;

/** Only what `readPrompt` accepts: some visible text, no control characters. */
export const promptText = hostileText.filter(
  (text) => !/^[\s\p{Cf}]*$/u.test(text) && !control.test(text) && !/\p{Surrogate}/u.test(text),
);
