import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { EncodeOptions, Tokenizer } from '../../../src/model/model.ts';
import { checkGgufFile } from '../../../src/llama/gguf/checkGgufFile.ts';
import { alignNormalised } from '../../../src/llama/tokenizer/alignNormalised.ts';
import { createTokenizer } from '../../../src/llama/tokenizer/llamaTokenizer.ts';
import type { Vocabulary } from '../../../src/llama/tokenizer/vocabulary.ts';
import { hostileText } from './hostileText.ts';
import { loadVocabulary } from './loadVocabulary.ts';
import { incompleteSentencePieceFile, sentencePieceFile, unigramFile, wordPieceFile } from './vocabularyFiles.ts';

const folder = await mkdtemp(join(tmpdir(), 'loupe-vocabulary-'));
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function load(name: string, bytes: Buffer): Promise<Vocabulary> {
  const file = join(folder, `${name}.gguf`);
  await writeFile(file, bytes);
  await checkGgufFile(file);
  return await loadVocabulary(file);
}

const sentencePiece = await load('sentencepiece', sentencePieceFile());
const withoutPrefix = await load('without-prefix', sentencePieceFile([['tokenizer.ggml.add_space_prefix', 'bool', false]]));
const wordPiece = await load('wordpiece', wordPieceFile());
const unigram = await load('unigram', unigramFile());

/** `text[start,end)` of every token; control tokens with a star. */
async function encoded(tokenizer: Tokenizer, text: string, options?: EncodeOptions): Promise<string> {
  const { tokens, approximateOffsets } = await tokenizer.encode(text, options);
  const list = tokens.map((token) => `${token.text}${token.special ? '*' : ''}[${token.start},${token.end})`);
  return `${approximateOffsets ? 'approximate: ' : ''}${list.join(' ')}`;
}

describe('SentencePiece', () => {
  const tokenizer = createTokenizer(sentencePiece);

  // Worked out by hand: ▁ goes before the text and after each special token; the inserted one has no place in the text.
  test.each([
    ['', '<s>*[0,0)'],
    ['hello world', '<s>*[0,0)  hello[0,5)  world[5,11)'],
    ['hello  world', '<s>*[0,0)  hello[0,5)   [5,7) w[7,8) or[8,10) ld[10,12)'],
    // The inserted ▁ and the space make ▁▁.
    [' hello', '<s>*[0,0)   [0,1) hello[1,6)'],
    ['héllo', '<s>*[0,0)  [0,0) h[0,1) é[1,2) llo[2,5)'],
    ['\r\n', '<s>*[0,0)  [0,0) \r[0,1) \n[1,2)'],
    ['a<s>hello', '<s>*[0,0)  [0,0) a[0,1) <s>*[1,4)  hello[4,9)'],
    ['hello</s> world', '<s>*[0,0)  hello[0,5) </s>*[5,9)   [9,10) w[10,11) or[11,13) ld[13,15)'],
    ['<user> hello', '<s>*[0,0) <user> [0,7)  hello[7,12)'],
    // ▁ written in the text is one character, like the space.
    ['hello▁world', '<s>*[0,0)  hello[0,5)  world[5,11)'],
  ])('%j', async (text, expected) => {
    expect(await encoded(tokenizer, text)).toBe(expected);
  });

  test('the bytes of a character share its range', async () => {
    const { tokens } = await tokenizer.encode('你😀', { addSpecial: false });
    const ranges = tokens.map(({ text, start, end }) => [text, start, end]);
    expect(ranges).toEqual([[' ', 0, 0], ...new Array(3).fill(['\uFFFD', 0, 1]), ...new Array(4).fill(['\uFFFD', 1, 3])]);
  });

  test('control tokens stay text when they are not to be recognised', async () => {
    expect(await encoded(tokenizer, '<s>', { parseSpecial: false, addSpecial: false })).toBe(' [0,0) <[0,1) s[1,2) >[2,3)');
  });

  test('without the inserted space', async () => {
    expect(await encoded(createTokenizer(withoutPrefix), 'hello world')).toBe('<s>*[0,0) hello[0,5)  world[5,11)');
  });

  test('decoding gives back the text with the inserted space', async () => {
    const { tokens } = await tokenizer.encode('hello world', { addSpecial: false });
    expect(await tokenizer.decode(tokens.map(({ id }) => id))).toBe(' hello world');
  });

  test('a vocabulary without bytes refuses what it cannot spell instead of ending the process', async () => {
    const incomplete = createTokenizer(await load('incomplete', incompleteSentencePieceFile()));
    await expect(incomplete.encode('hello?')).rejects.toMatchObject({ code: 'E_VOCABULARY_INCOMPLETE' });
  });

  test.each([sentencePiece, withoutPrefix])('offsets of any text are exact, in order, and cover it', async (vocabulary) => {
    const any = createTokenizer(vocabulary);
    await fc.assert(
      fc.asyncProperty(hostileText, fc.boolean(), async (text, parseSpecial) => {
        const { tokens, approximateOffsets } = await any.encode(text, { addSpecial: false, parseSpecial });
        expect(approximateOffsets).toBe(false);
        let covered = 0;
        for (const token of tokens) {
          expect(token.start).toBeLessThanOrEqual(covered);
          expect(token.end).toBeGreaterThanOrEqual(covered);
          covered = token.end;
        }
        expect(covered).toBe(text.length);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe('WordPiece', () => {
  const tokenizer = createTokenizer(wordPiece);

  test.each([
    ['', '[CLS]*[0,0) [SEP]*[0,0)'],
    ['The café.', '[CLS]*[0,0) the[0,3) cafe[4,8) .[8,9) [SEP]*[9,9)'],
    ['Unaffordable playing!', '[CLS]*[0,0) un[0,2) ##afford[2,8) ##able[8,12) play[13,17) ##ing[17,20) ![20,21) [SEP]*[21,21)'],
    ['  the  ', '[CLS]*[0,0) the[2,5) [SEP]*[7,7)'],
    // A word that cannot be spelled is one unknown token, punctuation apart.
    ['the xyz, a', '[CLS]*[0,0) the[0,3) [UNK][4,7) ,[7,8) a[9,10) [SEP]*[10,10)'],
    ['xyz xyz', '[CLS]*[0,0) [UNK][0,3) [UNK][4,7) [SEP]*[7,7)'],
    ['你好 the', '[CLS]*[0,0) 你[0,1) 好[1,2) the[3,6) [SEP]*[6,6)'],
    ['"$5"', '[CLS]*[0,0) "[0,1) $[1,2) 5[2,3) "[3,4) [SEP]*[4,4)'],
    ['😀 a', '[CLS]*[0,0) [UNK][0,2) a[3,4) [SEP]*[4,4)'],
    // Dropped: a control character, a combining mark (which stays with its letter), a byte-order mark.
    ['th\u0000e as', '[CLS]*[0,0) the[0,4) a[5,6) ##s[6,7) [SEP]*[7,7)'],
    ['cafe\u0301 a', '[CLS]*[0,0) cafe[0,5) a[6,7) [SEP]*[7,7)'],
    ['\uFEFFthe', '[CLS]*[0,0) the[1,4) [SEP]*[4,4)'],
    // ≠ decomposes to = and a stroke, and = stands alone.
    ['a≠a', '[CLS]*[0,0) a[0,1) [UNK][1,2) a[2,3) [SEP]*[3,3)'],
    ['a\u0085a', '[CLS]*[0,0) a[0,1) a[2,3) [SEP]*[3,3)'],
    ['the [MASK] a', '[CLS]*[0,0) the[0,3) [MASK]*[4,10) a[11,12) [SEP]*[12,12)'],
    ['[UNK] xyz a', '[CLS]*[0,0) [UNK][0,5) [UNK][6,9) a[10,11) [SEP]*[11,11)'],
  ])('%j', async (text, expected) => {
    expect(await encoded(tokenizer, text)).toBe(expected);
  });

  test('offsets of any text are exact and in order', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, fc.boolean(), async (text, parseSpecial) => {
        const { tokens, approximateOffsets } = await tokenizer.encode(text, { parseSpecial });
        expect(approximateOffsets).toBe(false);
        let position = 0;
        for (const { start, end } of tokens) {
          expect(start).toBeGreaterThanOrEqual(position);
          expect(end).toBeGreaterThanOrEqual(start);
          position = end;
        }
        expect(position).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});

describe('Unigram', () => {
  const tokenizer = createTokenizer(unigram);

  test.each([
    ['', '</s>*[0,0)'],
    ['the cats.', ' the[0,3)  cat[3,7) s[7,8) .[8,9) </s>*[9,9)'],
    // Spaces are merged; the last ones are dropped.
    ['  the   cat ', ' the[0,5)  cat[5,11) </s>*[12,12)'],
    ['the xyz cat', ' the[0,3)  [3,4) <unk>[4,7)  cat[7,11) </s>*[11,11)'],
    ['你好 the', ' [0,0) 你[0,1) <unk>[1,2)  the[2,6) </s>*[6,6)'],
    ['cat<extra_id_0> cat', ' cat[0,3) <extra_id_0>*[3,15)  cat[15,19) </s>*[19,19)'],
    // Without a table that turns it into a space, a line end is an unknown character.
    ['sat\nsat', ' s[0,1) at[1,3) <unk>[3,4) s[4,5) at[5,7) </s>*[7,7)'],
  ])('%j', async (text, expected) => {
    expect(await encoded(tokenizer, text)).toBe(expected);
  });

  /** What a file with an NFKC table would make of the text: ids by spelling. */
  const aligned = (text: string, spellings: readonly string[]) => {
    const ids = spellings.map((spelling) => {
      const id = Array.from({ length: unigram.size }, (_, each) => each).find((each) => unigram.text(each) === spelling);
      if (id === undefined) throw new Error(`no token ${spelling}`);
      return id;
    });
    const { ranges, exact } = alignNormalised(text, Int32Array.from(ids), unigram, /^\s/u);
    return { ranges: ranges.map(({ start, end }) => [start, end]), exact };
  };

  test.each<[string, string[], number[][], boolean]>([
    [
      'composed',
      ['▁', 'é'],
      [
        [0, 0],
        [0, 2],
      ],
      true,
    ],
    [
      'wide letters',
      ['▁cat', 's'],
      [
        [0, 3],
        [3, 4],
      ],
      true,
    ],
    [
      'a ligature of two tokens',
      ['▁s', 't'],
      [
        [0, 1],
        [0, 1],
      ],
      true,
    ],
    [
      'line ends',
      ['▁the', '▁cat'],
      [
        [0, 3],
        [3, 8],
      ],
      true,
    ],
    [
      'a token that the text does not have',
      ['▁the', 'é', '▁cat'],
      [
        [0, 3],
        [3, 3],
        [3, 7],
      ],
      false,
    ],
    [
      'text that no token has',
      ['▁the', 's'],
      [
        [0, 3],
        [8, 9],
      ],
      false,
    ],
  ])('%s', (name, spellings, ranges, exact) => {
    const texts: Readonly<Record<string, string>> = {
      composed: 'e\u0301',
      'wide letters': 'ｃａｔｓ',
      'a ligature of two tokens': 'ﬆ',
      'line ends': 'the\r\ncat',
      'a token that the text does not have': 'the cat',
      'text that no token has': 'the qqqqs',
    };
    expect(aligned(texts[name] ?? '', spellings)).toEqual({ ranges, exact });
  });

  test('ranges of any text are in order and inside it', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => {
        const { tokens } = await tokenizer.encode(text);
        let previous = 0;
        for (const { start, end } of tokens) {
          expect(start).toBeGreaterThanOrEqual(previous);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
          previous = start;
        }
      }),
      { numRuns: 300, seed: 6 },
    );
  });
});

test.each([sentencePiece, withoutPrefix, wordPiece, unigram])(
  'added tokens are those that llama.cpp adds',
  async (vocabulary) => {
    const tokenizer = createTokenizer(vocabulary);
    for (const text of ['', 'a', 'hello world', ' the cat', '<s>a', 'xyz</s>']) {
      const { tokens } = await tokenizer.encode(text);
      expect(tokens.map(({ id }) => id)).toEqual(Array.from(vocabulary.tokenize(Buffer.from(text), true, true)));
    }
  },
);

test.each([sentencePiece, wordPiece, unigram])('100,000 characters', async (vocabulary) => {
  const text = 'hello the café 你好 😀 '.repeat(5_264);
  expect(text.length).toBeGreaterThan(100_000);
  const { tokens, approximateOffsets } = await createTokenizer(vocabulary).encode(text);
  expect(approximateOffsets).toBe(false);
  expect(tokens.length).toBeGreaterThan(30_000);
});
