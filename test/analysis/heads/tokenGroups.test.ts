import { expect, test } from 'vitest';
import { tokenGroups } from '../../../src/analysis/heads/tokenGroups.ts';
import { markdownSections } from '../../../src/prompt/markdownSections.ts';

/** Every word, with the white space before it, is a token. */
function groups(text: string) {
  const tokens = [...text.matchAll(/\s*\S+/gu)].map(({ 0: word, index }, id) => ({
    id,
    text: word,
    start: index,
    end: index + word.length,
    special: false,
  }));
  const ids = Int32Array.from(tokens, ({ id }) => id);
  const found = tokenGroups({ text, tokens, ids, sections: markdownSections(text), templateRanges: [] });
  return { texts: tokens.map((token) => token.text.trim()), ...found };
}

test.each([
  ['# One\n\nText here.\n\n## Two\n\nMore text.\n', ['#', 'One', '##', 'Two']],
  ['A title\n=======\n\nText here.', ['A', 'title']],
  ['Before.\r\n\r\n# One more\r\nText.', ['#', 'One', 'more']],
  ['No heading.', []],
])('of %j the headings are their own lines, not what stands under them', (text, expected) => {
  const { texts, headings } = groups(text);
  expect(texts.filter((_, token) => headings[token] === 1)).toEqual(expected);
});

test('sentences and sections', () => {
  const { texts, sentences, sections } = groups('# One\n\nFirst here. Second here.\n\n- item');
  const of = (word: string) => texts.indexOf(word);
  expect(sentences[of('First')]).toBe(sentences[of('here.')]);
  expect(sentences[of('First')]).not.toBe(sentences[of('Second')]);
  expect(sections[of('First')]).toBe(sections[of('Second')]);
  expect(sections[of('First')]).not.toBe(sections[of('item')]);
});
