/**
 * Ids and offsets against the native `tokenizers` package, on a small tokenizer of every family and on SmolLM2's own
 * (scripts/goldens/onnx_tokenizers.py).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTextTokeniser } from '../../../src/onnx/tokenizer/textTokeniser.ts';
import { families, fixtures } from './tokenizerFixtures.ts';

type Encoded = readonly [ids: number[], starts: number[], ends: number[]];
interface Row {
  readonly special: Encoded;
  readonly plain?: Encoded;
}

const texts = JSON.parse(readFileSync(join(fixtures, 'texts.json'), 'utf8')) as string[];

describe.each(families)('%s', (family) => {
  const tokeniser = createTextTokeniser(JSON.parse(readFileSync(join(fixtures, family, 'tokenizer.json'), 'utf8')));
  const native = JSON.parse(readFileSync(join(fixtures, family, 'native.json'), 'utf8')) as { added: number[]; rows: Row[] };
  const cases = native.rows.flatMap(({ special, plain }, index) => [
    { text: texts[index] ?? '', expected: special, parseSpecial: true },
    ...(plain === undefined ? [] : [{ text: texts[index] ?? '', expected: plain, parseSpecial: false }]),
  ]);

  test('the same ids', () => {
    const wrong = cases.flatMap(({ text, expected, parseSpecial }) => {
      const ids = tokeniser.tokenise(text, parseSpecial).tokens.map(({ id }) => id);
      return ids.join() === expected[0].join() ? [] : [{ text, parseSpecial, ids: ids.join(), expected: expected[0].join() }];
    });
    expect(wrong).toEqual([]);
  });

  // Three things are meant to differ: a marker that was inserted stands for nothing here and for the next character there;
  // spaces that a token swallows belong to it there; what a normaliser made of a character with its marks, or of a run of
  // spaces, stands for all of it here, and sometimes for a part of it there.
  test('the same places', () => {
    const trusted = cases.filter(({ text }) => !nativelyMisplaced(family, text));
    const wrong = trusted.flatMap(({ text, expected: [ids, starts, ends], parseSpecial }) => {
      const { tokens, exact } = tokeniser.tokenise(text, parseSpecial);
      const widen = widener(text, family);
      const differing = tokens.flatMap(({ id, start, end }, index) => {
        const native = { start: starts[index] ?? -1, end: ends[index] ?? -1 };
        if (start === native.start && end === native.end) return [];
        if (start === end && start === native.start) return [];
        if (tokeniser.spelling.text(id) === '<mask>' && text.slice(native.start, native.end).trim() === text.slice(start, end))
          return [];
        // Bytes of one unknown character are placed in it, not in the whole run of unknown ones.
        if (family === 'xlm_roberta' && start !== end && start >= native.start && end <= native.end) return [];
        if (rewriting.has(family) && widen({ start, end }) === widen(native)) return [];
        return [`${index}: ${start}-${end}, natively ${native.start}-${native.end}`];
      });
      return exact && differing.length === 0 && ids.length === tokens.length
        ? []
        : [`${JSON.stringify(text)} ${parseSpecial} ${exact}: ${differing.join('; ')}`];
    });
    expect(wrong).toEqual([]);
  });
});

/** Families whose normaliser makes other text of some characters. */
const rewriting = new Set(['albert', 'bert_uncased', 'qwen', 't5', 'xlm_roberta']);

/**
 * Texts whose places the native package gets wrong: it forgets the length of characters that its normalisation table deletes
 * (the small one here deletes soft hyphens) and of bytes without a token, so all that follows is early.
 */
function nativelyMisplaced(family: string, text: string): boolean {
  return family === 'missing_bytes' || (['albert', 't5', 'xlm_roberta'].includes(family) && text.includes('\u00ad'));
}

/** What a normaliser takes as one: a character with its marks and with format characters, or a run of spaces. */
const clusterPattern = /\p{White_Space}+|[^][\p{M}\p{Cf}\u1160-\u11ff\uff9e\uff9f]*/gu;
/** The normalisation table of T5 here makes a space of U+200B. */
const clusterPatternT5 = /[\p{White_Space}\u200b]+|[^](?:(?!\u200b)[\p{M}\p{Cf}\u1160-\u11ff\uff9e\uff9f])*/gu;

/** A range as text, widened to whole clusters. */
function widener(text: string, family: string): (range: { readonly start: number; readonly end: number }) => string {
  const clusters = [...text.matchAll(family === 't5' ? clusterPatternT5 : clusterPattern)].map(
    ({ 0: value, index }) => [index, index + value.length] as const,
  );
  return ({ start, end }) => {
    const touched = clusters.filter(([from, to]) => from < end && to > start);
    return `${touched[0]?.[0] ?? start}-${touched.at(-1)?.[1] ?? end}`;
  };
}
