import { describe, expect, test } from 'vitest';
import { findFewShot } from '../../../src/analysis/anchors/fewShot.ts';
import { textSections } from '../../../src/prompt/textSections.ts';

const reviews =
  'Say what it is.\n\nReview: good soup\nSentiment: positive\n\nReview: cold soup\nSentiment: very negative\n\nReview: a film\nSentiment:';
const arrows = 'apple -> fruit\ncarrot -> vegetable\npear -> fruit\nonion ->';
const closed = 'Q: 1+1?\nA: two\n\nQ: 1+2?\nA: three\n\nAnd what is 1+3?';

function find(
  text: string,
  asked: { labels?: string[]; prefix?: string } = {},
  templateRanges: { start: number; end: number }[] = [],
) {
  const prompt = { text, tokens: [], ids: new Int32Array(), sections: textSections(text), templateRanges };
  return findFewShot(prompt, { labels: [], prefix: '', ...asked });
}
const slice = (text: string, range: { start: number; end: number }) => text.slice(range.start, range.end);

describe('what is recognised', () => {
  test.each([
    ['a labelled line at the end', reviews, {}, 'Sentiment:', ['positive', 'very negative'], 'a film', true],
    ['an arrow', arrows, {}, '->', ['fruit', 'vegetable', 'fruit'], 'onion', true],
    ['examples without an open line', closed, {}, 'A:', ['two', 'three'], 'And what is 1+3?', false],
    ['a prefix that is given', reviews, { prefix: ' Sentiment: ' }, 'Sentiment:', ['positive', 'very negative'], 'a film', true],
    ['labels that are given', arrows, { labels: ['Fruit'] }, '->', ['fruit', 'fruit'], 'onion', true],
    [
      'full-width colons',
      '评论：好\n情感：正\n\n评论：坏\n情感：负\n\n评论：可以\n情感：',
      {},
      '情感：',
      ['正', '负'],
      '可以',
      true,
    ],
  ])('%s', (_name, text, asked, prefix, labels, question, isOpen) => {
    const found = find(text, asked);
    expect(found.prefix).toBe(prefix);
    expect(found.examples.map(({ labelText }) => labelText)).toEqual(labels);
    expect(found.examples.map(({ label }) => slice(text, label))).toEqual(labels);
    expect(slice(text, found.question)).toBe(question);
    expect(found.isOpen).toBe(isOpen);
  });

  test('examples begin with their paragraph and end with their label', () => {
    const { examples } = find(reviews);
    expect(examples.map((example) => slice(reviews, example))).toEqual([
      'Review: good soup\nSentiment: positive',
      'Review: cold soup\nSentiment: very negative',
    ]);
    expect(find(arrows).examples.map((example) => slice(arrows, example))).toEqual([
      'apple -> fruit',
      'carrot -> vegetable',
      'pear -> fruit',
    ]);
  });

  test('text of the template behind the question is not the question', () => {
    const text = `${reviews}<end>`;
    const found = find(text, {}, [{ start: reviews.length, end: text.length }]);
    expect(slice(text, found.question)).toBe('a film');
    expect(found.isOpen).toBe(false);
  });
});

test.each([
  ['one word', {}, 'E_TOOL_PROMPT'],
  ['A: only this', {}, 'E_TOOL_PROMPT'],
  [reviews, { prefix: 'Mood:' }, 'E_TOOL_PARAMETER'],
  [reviews, { labels: ['neutral'] }, 'E_TOOL_PARAMETER'],
  ['Text: a\nLabel:', { prefix: 'Label:' }, 'E_TOOL_PARAMETER'],
])('%j with %j is refused', (text, asked, code) => {
  expect(() => find(text, asked)).toThrow(expect.objectContaining({ code }) as Error);
});
