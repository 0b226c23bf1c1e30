import { expect, test } from 'vitest';
import { agreementOf } from '../../../src/analysis/selfExplanation/agreement.ts';
import { compareWords, wordForm } from '../../../src/analysis/selfExplanation/statedWords.ts';
import type { Unit } from '../../../src/shared/tokens.ts';

const words = 'The cat, the dog and "Rome".'.split(' ');
const units = words.map((label, index): Unit => ({ label, kind: 'text', start: index, end: index + 1, tokens: [index] }));
const scores = [0.1, -3, 0.2, 1, 0, 2];
const say = (...named: string[]) =>
  compareWords(
    units,
    () => true,
    scores,
    named.map((word) => ({ word, why: '' })),
  );

test('words are compared without case and punctuation; a word of several places has its largest effect', () => {
  expect(words.map(wordForm)).toEqual(['the', 'cat', 'the', 'dog', 'and', 'rome']);
  const { forms, invented } = say('Rome', 'the cat', 'Paris', 'rome.');
  expect(invented).toEqual(['paris']);
  expect(forms).toEqual([
    { form: 'the', places: [0, 2], measured: 0.2, statedRank: 2 },
    { form: 'cat', places: [1], measured: 3, statedRank: 3 },
    { form: 'dog', places: [3], measured: 1, statedRank: null },
    { form: 'and', places: [4], measured: 0, statedRank: null },
    { form: 'rome', places: [5], measured: 2, statedRank: 1 },
  ]);
});

test('hidden units are no words', () => {
  expect(compareWords(units, ({ tokens }) => tokens[0] !== 1, scores, []).forms.map(({ form }) => form)).toEqual([
    'the',
    'dog',
    'and',
    'rome',
  ]);
});

test('naming the two largest in order', () => {
  const found = agreementOf(say('cat', 'Rome').forms, 1);
  expect(found).toMatchObject({ named: 2, hits: 2, overlap: 1, overlapInterval: [1, 1], randomOverlap: 0.4, words: 5 });
  expect(found?.chance).toBeCloseTo(1 / 10, 12);
  // Ranks measured 5 4 3 2 1 against 5 4 2 2 2: 1 − of ranks with ties, by Pearson of the ranks.
  expect(found?.correlation).toBeCloseTo(8 / Math.sqrt(10 * 8), 12);
  expect(found?.correlationInterval[0]).toBeLessThanOrEqual(found?.correlation ?? 0);
});

test('naming the smallest', () => {
  const found = agreementOf(say('and', 'the').forms, 1);
  expect(found).toMatchObject({ hits: 0, overlap: 0, chance: 1 });
  expect(found?.correlation).toBeLessThan(0);
});

test('nothing to compare', () => {
  expect(agreementOf(say('Paris').forms, 1)).toBeNull();
  expect(agreementOf(say('the', 'cat', 'dog', 'and', 'Rome').forms, 1)).toBeNull();
  expect(agreementOf([], 1)).toBeNull();
});
