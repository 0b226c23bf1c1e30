/** What a tokenizer.json may say, taken one by one, and files that are refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextTokeniser } from '../../../src/onnx/tokenizer/textTokeniser.ts';
import { families, fixtures } from './tokenizerFixtures.ts';

/** Every letter a token, no unknown one. */
const letters = {
  type: 'BPE',
  vocab: Object.fromEntries([...'abcdefgh-.|12 Σσ▁'].map((letter, id) => [letter, id])),
  merges: [],
};
const merged = { ...letters, vocab: { ...letters.vocab, ab: 90, abc: 91 }, merges: ['a b', 'ab c'] };

/** `text[start,end)` of every token. */
function cut(file: Readonly<Record<string, unknown>>, text: string): string {
  const tokeniser = createTextTokeniser({ model: merged, ...file });
  return tokeniser
    .tokenise(text, true)
    .tokens.map(({ id, start, end }) => `${tokeniser.spelling.text(id)}[${start},${end})`)
    .join(' ');
}

const split = (behavior: string, invert = false) => ({
  pre_tokenizer: { type: 'Split', pattern: { String: '-' }, behavior, invert },
  // Words show as one token each.
  model: {
    type: 'WordPiece',
    vocab: Object.fromEntries(['[UNK]', 'a', 'b', '-', 'a-', '-b', '--', 'a--', '--b'].map((t, id) => [t, id])),
    unk_token: '[UNK]',
  },
});

// The behaviours are those that the native package documents.
test.each<[string, Readonly<Record<string, unknown>>, string, string]>([
  ['no steps', {}, 'abcb', 'abc[0,3) b[3,4)'],
  ['isolated', split('Isolated'), 'a--b', 'a[0,1) -[1,2) -[2,3) b[3,4)'],
  ['removed', split('Removed'), 'a--b', 'a[0,1) b[3,4)'],
  ['removed, inverted', split('Removed', true), 'a--b', '-[1,2) -[2,3)'],
  ['contiguous', split('Contiguous'), 'a--b', 'a[0,1) --[1,3) b[3,4)'],
  ['merged with the previous', split('MergedWithPrevious'), 'a-b', 'a-[0,2) b[2,3)'],
  ['merged with the next', split('MergedWithNext'), 'a-b', 'a[0,1) -b[1,3)'],
  ['a delimiter', { pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: '|' } }, 'ab|c', 'ab[0,2) c[3,4)'],
  ['digits apart', { pre_tokenizer: { type: 'Digits', individual_digits: true } }, 'a12', 'a[0,1) 1[1,2) 2[2,3)'],
  ['words and the rest', { pre_tokenizer: { type: 'Whitespace' } }, 'ab  -.', 'ab[0,2) -[4,5) .[5,6)'],
  // Cut there by the native package, too.
  [
    'any case of a letter',
    {
      pre_tokenizer: { type: 'Split', pattern: { Regex: "(?i:'s|'t)|\\p{L}+" }, behavior: 'Isolated' },
      model: { ...letters, vocab: { "'": 0, ſ: 1, "'ſ": 2, b: 3, ſb: 4 }, merges: ["' ſ", 'ſ b'] },
    },
    "'ſb",
    "'ſ[0,2) b[2,3)",
  ],
  ['lower case knows no last sigma', { normalizer: { type: 'Lowercase' } }, 'aΣ', 'a[0,1) σ[1,2)'],
  ['strip', { normalizer: { type: 'Strip', strip_left: true, strip_right: false } }, '  a ', 'a[2,3)  [3,4)'],
  ['accents', { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }] } }, 'áb', 'ab[0,2)'],
  ['replaced by nothing', { normalizer: { type: 'Replace', pattern: { Regex: '-+' }, content: '' } }, 'a--b', 'ab[0,4)'],
  ['replacements are not patterns', { normalizer: { type: 'Replace', pattern: { String: '$' }, content: 'a' } }, '$b', 'ab[0,2)'],
  ['control characters', { normalizer: { type: 'Nmt' } }, 'a\u0001b\t', 'ab[0,3)  [3,4)'],
  ['what has no token is left out before merging', {}, 'aXb', 'ab[0,3)'],
  [
    'a word in a dictionary of added tokens',
    {
      added_tokens: [
        { id: 50, content: 'ab', special: true },
        { id: 51, content: 'abc', special: true },
      ],
    },
    'abcab',
    'abc[0,3) ab[3,5)',
  ],
])('%s', (_, file, text, expected) => {
  expect(cut(file, text)).toBe(expected);
});

test('end of word (CLIP)', () => {
  const model = { ...letters, vocab: { a: 0, b: 1, 'b</w>': 2, 'ab</w>': 3 }, merges: ['a b</w>'], end_of_word_suffix: '</w>' };
  expect(cut({ model, pre_tokenizer: { type: 'WhitespaceSplit' } }, 'ab b')).toBe('ab [0,2) b [3,4)');
});

test.each<[string, unknown, RegExp]>([
  ['nothing', null, /tokenizer\.json/],
  ['no model', {}, /model/],
  ['a kind of model that is unknown', { model: { type: 'WordLevel', vocab: {} } }, /model/],
  ['ids that are no numbers', { model: { ...letters, vocab: { a: 'b' } } }, /vocab/],
  ['an id beyond all vocabularies', { model: { ...letters, vocab: { a: 1e9 } } }, /vocab/],
  ['merges that are none', { model: { ...letters, merges: ['ab'] } }, /merges/],
  ['merges dropped at random', { model: { ...letters, dropout: 0.1 } }, /at random/],
  ['a prefix on byte pairs', { model: { ...letters, continuing_subword_prefix: '##' } }, /prefix/],
  ['an empty unigram vocabulary', { model: { type: 'Unigram', vocab: [] } }, /vocab/],
  ['no unknown token', { model: { type: 'WordPiece', vocab: { a: 0 } } }, /unknown token/],
  [
    'a pattern that is none',
    { model: letters, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } },
    /pattern/,
  ],
  ['a step that is unknown', { model: letters, pre_tokenizer: { type: 'UnicodeScripts' } }, /pre_tokenizer/],
  ['a damaged table', { model: letters, normalizer: { type: 'Precompiled', precompiled_charsmap: '////fw==' } }, /table/],
  [
    'a template without the text',
    { model: letters, post_processor: { type: 'TemplateProcessing', single: [], special_tokens: {} } },
    /template/,
  ],
  [
    'a template of unknown tokens',
    {
      model: letters,
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: 'x' } }, { Sequence: { id: 'A' } }],
        special_tokens: {},
      },
    },
    /without an id/,
  ],
])('refused: %s', (_, file, reason) => {
  expect(() => createTextTokeniser(file)).toThrow(expect.objectContaining({ code: 'E_TOKENIZER_UNSUPPORTED' }));
  expect(() => createTextTokeniser(file)).toThrow(reason);
});

test('a unigram vocabulary without an unknown token refuses what it cannot spell', () => {
  const tokeniser = createTextTokeniser({ model: { type: 'Unigram', vocab: [['a', -1]], unk_id: null } });
  expect(tokeniser.tokenise('aa', true).tokens).toHaveLength(2);
  expect(() => tokeniser.tokenise('é', true)).toThrow(expect.objectContaining({ code: 'E_VOCABULARY_INCOMPLETE' }));
});

test('a file with one value exchanged is read or refused with a code', () => {
  const originals = families
    .filter((family) => family !== 'smollm2')
    .map((family) => JSON.parse(readFileSync(join(fixtures, family, 'tokenizer.json'), 'utf8')) as Record<string, unknown>);
  const parts = ['normalizer', 'pre_tokenizer', 'post_processor', 'added_tokens', 'model'];
  const values = fc.oneof(
    fc.constantFrom<unknown>(null, -1, 1e300, '', 'x', [], {}, true, '\u0000'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.constantFrom(...parts),
      fc.array(fc.nat(40), { maxLength: 4 }),
      values,
      (original, part, path, value) => {
        const file = { ...original, [part]: exchanged(original[part], path, value) };
        try {
          const { tokens } = createTextTokeniser(file).tokenise('The capital <s>é½ 你 [MASK]\n', true);
          for (const { start, end } of tokens) expect(start <= end && start >= 0 && end <= 27).toBe(true);
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^E_(TOKENIZER_UNSUPPORTED|VOCABULARY_INCOMPLETE)$/));
        }
      },
    ),
    { numRuns: 300, seed: 8 },
  );
});

/** The value at the path (each number chooses a key), exchanged for another. */
function exchanged(node: unknown, [step, ...rest]: readonly number[], value: unknown): unknown {
  if (step === undefined || typeof node !== 'object' || node === null) return value;
  const keys = Object.keys(node);
  const key = keys[step % keys.length];
  if (key === undefined) return value;
  const copy: Record<string, unknown> = Array.isArray(node)
    ? ([...(node as unknown[])] as unknown as Record<string, unknown>)
    : { ...node };
  copy[key] = exchanged(copy[key], rest, value);
  return copy;
}

test('a pattern that takes exponential time is ended', () => {
  const tokeniser = createTextTokeniser({
    model: letters,
    pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' },
  });
  expect(() => tokeniser.tokenise(`${'a'.repeat(40)}!`, true)).toThrow(/E_TOKENIZER_UNSUPPORTED.*41 characters in time/);
  expect(tokeniser.tokenise('aaa', true).tokens).toHaveLength(3);
}, 30_000);
