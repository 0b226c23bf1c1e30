import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tokenizer } from '../../../src/model/model.ts';
import { createTokenizer } from '../../../src/llama/tokenizer/llamaTokenizer.ts';
import { hostileText } from './hostileText.ts';
import { loadVocabulary } from './loadVocabulary.ts';

const root = join(import.meta.dirname, '../../..');
const golden = join(root, 'test/fixtures/golden');
const vocabulary = await loadVocabulary(join(root, 'models/SmolLM2-135M-Instruct.Q4_1.gguf'));
const tokenizer = createTokenizer(vocabulary);

interface TokenizerCase {
  readonly text: string;
  readonly ids: readonly number[];
  /** Ids when control tokens in the text are not recognised; null when the same. */
  readonly ids_plain: readonly number[] | null;
  /** UTF-8, one a token. */
  readonly byte_offsets: readonly (readonly [number, number])[];
}

interface PromptCase {
  readonly ids: readonly number[];
  readonly char_offsets: readonly (readonly [number, number])[];
}

function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(golden, ...path), 'utf8')) as T;
}

/** The plain reference: code units of the characters that overlap the UTF-8 bytes [from, to). */
function unitsOfBytes(text: string, from: number, to: number): [number, number] {
  let byte = 0;
  let unit = 0;
  let start: number | null = null;
  let end = 0;
  for (const character of text) {
    const bytes = Buffer.byteLength(character);
    if (byte + bytes > from && byte < to) {
      start ??= unit;
      end = unit + character.length;
    }
    byte += bytes;
    unit += character.length;
  }
  return [start ?? unit, end];
}

const offsets = async (encoder: Tokenizer, text: string) =>
  (await encoder.encode(text, { addSpecial: false })).tokens.map((token) => [token.start, token.end]);

test.each(readJson<TokenizerCase[]>('tokenizer.json').map((each) => [JSON.stringify(each.text).slice(0, 60), each] as const))(
  'ids and offsets of %s',
  async (_name, { text, ids, ids_plain, byte_offsets }) => {
    const { tokens, approximateOffsets } = await tokenizer.encode(text);
    expect(tokens.map((token) => token.id)).toEqual(ids);
    expect(tokens.map((token) => [token.start, token.end])).toEqual(
      byte_offsets.map(([from, to]) => unitsOfBytes(text, from, to)),
    );
    expect(approximateOffsets).toBe(false);
    const plain = await tokenizer.encode(text, { parseSpecial: false });
    expect(plain.tokens.map((token) => token.id)).toEqual(ids_plain ?? ids);
    expect(plain.approximateOffsets).toBe(false);
  },
);

test.each(['fact', 'ioi', 'fewshot', 'rag', 'chat', 'code', 'zh', 'long900'])('prompt %s', async (name) => {
  const { ids, char_offsets } = readJson<PromptCase>(name, 'meta.json');
  const text = readFileSync(join(golden, name, 'prompt.txt'), 'utf8');
  const { tokens } = await tokenizer.encode(text);
  expect(tokens.map((token) => token.id)).toEqual(ids);
  expect(tokens.map((token) => [token.start, token.end])).toEqual(char_offsets);
  expect(await tokenizer.decode(ids)).toBe(text);
});

test.each(['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'])('%s', async (name) => {
  const tiny = createTokenizer(await loadVocabulary(join(golden, name, 'model.gguf')));
  const { text, ids, char_offsets } = readJson<PromptCase & { readonly text: string }>(name, 'meta.json');
  const { tokens } = await tiny.encode(text, { addSpecial: false });
  expect(tokens.map((token) => token.id)).toEqual(ids);
  expect(tokens.map((token) => [token.start, token.end])).toEqual(char_offsets);
});

describe('what tokens are', () => {
  test('control tokens are special and cover what is written', async () => {
    const { tokens } = await tokenizer.encode('a<|im_end|>b');
    expect(tokens.map(({ text, special, start, end }) => [text, special, start, end])).toEqual([
      ['a', false, 0, 1],
      ['<|im_end|>', true, 1, 11],
      ['b', false, 11, 12],
    ]);
  });

  test('a part of a character is spelled U+FFFD and covers the character', async () => {
    const { tokens } = await tokenizer.encode('👍🏽');
    expect(new Set(tokens.map(({ start, end }) => `${start}-${end}`))).toEqual(new Set(['0-2', '2-4']));
    expect(tokens.every(({ text }) => text.includes('\uFFFD'))).toBe(true);
  });

  test('special ids of the bundled model', async () => {
    const special = await tokenizer.special();
    expect(special).toMatchObject({ bos: 1, eos: 2 });
    expect(special.endOfGeneration).toContain(2);
    expect(await tokenizer.pieces([1, 905, 10_813])).toEqual(['<|im_start|>', ' world', '\uFFFD']);
  });

  test.each(['\uD800', 'a\uDC00b', '😀\uD83D', '\uDE00\uD83D'])('lone surrogates are refused', async (text) => {
    await expect(tokenizer.encode(text)).rejects.toMatchObject({ code: 'E_PROMPT_INVALID' });
  });

  test('ids outside the vocabulary spell nothing', async () => {
    expect(await tokenizer.pieces([-1, 49_152, 1.5, Number.NaN])).toEqual(['', '', '', '']);
    expect(await tokenizer.decode([-1, 1 << 30])).toBe('');
  });
});

test.each(['a', ' ', '\n', '1', '!', '你', '😀', 'e\u0301', 'ab ', '\t x'])('100,000 characters of %j', async (pattern) => {
  const text = pattern.repeat(Math.ceil(100_000 / pattern.length)).slice(0, 100_000);
  const { tokens } = await tokenizer.encode(text);
  expect(tokens.at(-1)?.end).toBe(100_000);
});

test('bytes that the vocabulary lacks have no token, and the rest keeps its place', async () => {
  expect(vocabulary.missingBytes().has(0xf1)).toBe(true);
  // U+40000 is F1 80 80 80.
  const { tokens, approximateOffsets } = await tokenizer.encode('a\u{40000}b');
  expect(tokens.map(({ start, end }) => [start, end])).toEqual([
    [0, 1],
    [1, 3],
    [1, 3],
    [1, 3],
    [3, 4],
  ]);
  expect(approximateOffsets).toBe(false);
});

test('offsets cover any text, in order, and spell it', async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, async (text) => {
      fc.pre(!Buffer.from(text).some((byte) => vocabulary.missingBytes().has(byte)));
      const { tokens, approximateOffsets } = await tokenizer.encode(text, { addSpecial: false });
      expect(approximateOffsets).toBe(false);
      let covered = 0;
      let previous = 0;
      for (const { id, start, end } of tokens) {
        expect(start).toBeGreaterThanOrEqual(previous);
        expect(start).toBeLessThanOrEqual(covered);
        expect(end).toBeGreaterThan(start);
        const spelled = await tokenizer.decode([id]);
        if (!spelled.includes('\uFFFD')) expect(text.slice(start, end)).toBe(spelled);
        previous = start;
        covered = end;
      }
      expect(covered).toBe(text.length);
      expect(await tokenizer.decode(tokens.map(({ id }) => id))).toBe(text);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test('the reference itself', async () => {
  expect(unitsOfBytes('a😀b', 1, 3)).toEqual([1, 3]);
  expect(await offsets(tokenizer, '')).toEqual([]);
});
