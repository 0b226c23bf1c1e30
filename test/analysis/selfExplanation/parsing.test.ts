import { describe, expect, test } from 'vitest';
import { isRightAnswer } from '../../../src/analysis/selfExplanation/calibrationCases.ts';
import { jsonInText } from '../../../src/analysis/selfExplanation/jsonInText.ts';
import { confidenceOf, statedConfidence } from '../../../src/analysis/selfExplanation/parseConfidence.ts';
import { parseExplanation } from '../../../src/analysis/selfExplanation/parseExplanation.ts';
import { filled } from '../../../src/analysis/selfExplanation/templates.ts';

describe('explanations', () => {
  test.each<[string, string, string, string[], number | null]>([
    [
      'as asked',
      '{"words": [{"word": "not", "why": "it turns it"}, {"word": "hotel", "why": ""}], "confidence": 0.8}',
      'json',
      ['not', 'hotel'],
      0.8,
    ],
    [
      'in a fence, with talk around it',
      'Sure! ```json\n{"words": ["not"], "confidence": "90%"}\n``` I hope {this} helps.',
      'json',
      ['not'],
      0.9,
    ],
    ['brackets in the talk before', 'Set {a, b} and [x]: {"words":["a \\"b\\" }"]}', 'json', ['a "b" }'], null],
    ['an array alone', '["not", "hotel"] I am 70% sure.', 'json', ['not', 'hotel'], 0.7],
    [
      'cut off by the token limit',
      '{"words": [{"word": "not", "why": "it"}, {"word": "hotel", "wh',
      'fragments',
      ['not', 'hotel'],
      null,
    ],
    [
      'a numbered list',
      'The words are:\n1. "not" - it turns the meaning\n2) hotel: the place\n3. anyone\nConfidence: 8/10',
      'list',
      ['not', 'hotel', 'anyone'],
      0.8,
    ],
    ['bullets in bold', '* **not**: why\n- _hotel_\n- A long sentence that names nothing at all', 'list', ['not', 'hotel'], null],
    ['talk', 'The review is positive.', 'none', [], null],
    ['nothing', '', 'none', [], null],
    ['words of the wrong kind', '{"words": 7, "confidence": 200}', 'none', [], null],
    ['an empty list', '{"words": []}', 'none', [], null],
  ])('%s', (_name, reply, form, words, confidence) => {
    const found = parseExplanation(reply);
    expect(found.form).toBe(form);
    expect(found.words.map(({ word }) => word)).toEqual(words);
    expect(found.confidence).toBe(confidence);
  });

  test('reasons are kept', () => {
    expect(parseExplanation('1. "not" - it turns the meaning').words).toEqual([{ word: 'not', why: 'it turns the meaning' }]);
    expect(parseExplanation('{"words":[{"word":"a","reason":"r"}]}').words).toEqual([{ word: 'a', why: 'r' }]);
  });
});

test('JSON that stands in a text, the outermost', () => {
  expect(jsonInText('a {"b": [1]} c [2, {"d": "]"}] {x} {"e"')).toEqual([{ b: [1] }, [2, { d: ']' }]]);
});

test.each([
  ['0.8', 0.8],
  ['80', 0.8],
  ['80%', 0.8],
  ['80 percent', 0.8],
  ['8/10', 0.8],
  ['8 out of 10', 0.8],
  ['1', 1],
  ['0', 0],
  [0.25, 0.25],
  [95, 0.95],
  ['150', null],
  [-0.2, null],
  ['none', null],
  [null, null],
  [Number.NaN, null],
])('confidence %j is %j', (value, expected) => expect(confidenceOf(value)).toBe(expected));

test.each([
  ['100', 1],
  [' 85%\nBecause', 0.85],
  ['I am 90% sure.', 0.9],
  ['My confidence is 7/10.', 0.7],
  ['Confidence: 0.35', 0.35],
  ['Sydney.', null],
  ['There are 3 apples in 2 baskets', null],
  ['', null],
])('stated in %j: %j', (text, expected) => expect(statedConfidence(text)).toBe(expected));

test.each([
  [' Paris. It is', 'Paris', true],
  ['the city of New  York!', 'new york', true],
  ['Parisian', 'Paris', false],
  ['London\nParis', 'Paris', false],
  ['4', '4', true],
  ['', 'Paris', false],
  ['anything', '…', false],
  ['法国的首都是巴黎。', '巴黎', true],
  ['法国的首都是巴黎。', '巴里', false],
  ['それは東京です', '東京', true],
  ['คำตอบคือกรุงเทพ', 'กรุงเทพ', true],
  ['It is + of course', '+', true],
  ['It is - of course', ' + ', false],
  ['🦄!', '🦄', true],
])('%j answers %j: %j', (answered, expected, isRight) => expect(isRightAnswer(answered, expected)).toBe(isRight));

test('a template is filled once', () => {
  expect(filled('{prompt} / {count} / {other}', { prompt: '{count}', count: '3' })).toBe('{count} / 3 / {other}');
});
