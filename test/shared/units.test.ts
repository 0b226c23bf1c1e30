import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Granularity, Section, TextRange, Token } from '../../src/shared/tokens.ts';
import { buildUnits, markSinks, regroup, sectionsOf } from '../../src/shared/units.ts';

interface Golden {
  readonly ids: readonly number[];
  readonly pieces: readonly string[];
  readonly char_offsets: readonly (readonly [number, number])[];
  readonly word_unit: readonly number[];
}

const plain = { sections: [], templateRanges: [] };

function golden(name: string): { text: string; tokens: Token[]; wordUnit: readonly number[] } {
  const folder = new URL(`../fixtures/golden/${name}/`, import.meta.url);
  const meta = JSON.parse(readFileSync(new URL('meta.json', folder), 'utf8')) as Golden;
  const tokens = meta.ids.map((id, i): Token => {
    const [start = 0, end = 0] = meta.char_offsets[i] ?? [];
    return { id, text: meta.pieces[i] ?? '', start, end, special: false };
  });
  return { text: readFileSync(new URL('prompt.txt', folder), 'utf8'), tokens, wordUnit: meta.word_unit };
}

/** `The| capital` → tokens; `⟦…⟧` around a special token, an empty pair is one without text. */
function tokensOf(pieces: readonly string[]): { text: string; tokens: Token[] } {
  let text = '';
  const tokens = pieces.map((piece, id): Token => {
    const special = piece.startsWith('⟦');
    const shown = special ? piece.slice(1, -1) : piece;
    const start = text.length;
    text += shown;
    return { id, text: shown, start, end: text.length, special };
  });
  return { text, tokens };
}

describe('words, against the goldens', () => {
  test.each(['fact', 'ioi', 'fewshot', 'rag', 'chat', 'code', 'long900'])('%s', (name) => {
    const { text, tokens, wordUnit } = golden(name);
    const units = buildUnits(text, tokens, 'word', plain);
    const mine = tokens.map((_, token) => units.findIndex((unit) => unit.tokens.includes(token)));
    expect(mine).toEqual(wordUnit);
    for (const unit of units) expect(unit.label).toBe(unit.label.trim());
  });

  test('zh: words by dictionary, punctuation with the word before it, whole characters', () => {
    const { text, tokens } = golden('zh');
    const labels = buildUnits(text, tokens, 'word', plain).map((unit) => unit.label);
    expect(labels.join('')).toBe(text);
    expect(labels).toEqual([
      '中国',
      '的',
      '首都',
      '是',
      '北京。',
      '法国',
      '的',
      '首都',
      '是',
      '巴黎。',
      '日本',
      '的',
      '首都',
      '是',
    ]);
  });
});

describe('what belongs together', () => {
  const cases: readonly [string, Granularity, readonly string[], readonly string[]][] = [
    ['punctuation stays with its word', 'word', ['He', ' said', ',', ' "', 'no', '!"'], ['He', 'said,', '"no!"']],
    ['white space before a word is not part of it', 'word', ['a', '  ', '\t', 'b'], ['a', 'b']],
    ['white space at the end goes to the last word', 'word', ['a', ' b', ' \n'], ['a', 'b']],
    ['only white space is one unit', 'word', [' ', '\n'], [' \n']],
    ['a token over a border goes where it ends', 'word', ['a b', 'c d'], ['a b', 'c d']],
    [
      'scripts side by side',
      'word',
      ['使', '用', 'Python', '学', '习', '(', '好', ')', '。'],
      ['使用', 'Python', '学习', '(好)。'],
    ],
    ['opening punctuation goes with what follows', 'word', ['我', '「', '你', '」', '他'], ['我', '「你」', '他']],
    ['specials stand alone', 'word', ['⟦⟧', '⟦<s>⟧', 'a', ' b', '⟦</s>⟧', ' ', 'c'], ['', '<s>', 'a', 'b', '</s>', 'c']],
    ['specials stand alone in coarse units too', 'line', ['a', ' b', '⟦<x>⟧', ' c'], ['a b', '<x>', 'c']],
    ['white space before a special stays behind', 'word', ['a', ' ', '⟦<x>⟧', ' ', 'b'], ['a', '<x>', 'b']],
    [
      'sentences',
      'sentence',
      ['Dr', '.', ' Who', ' came', '.', ' He', ' left', '!', '\n', 'Why', '?'],
      ['Dr. Who came.', 'He left!', 'Why?'],
    ],
    ['a wrapped line goes on', 'sentence', ['One', ' two', '\n', 'three', '.', '\n\n', 'four'], ['One two\nthree.', 'four']],
    ['sentences in Chinese', 'sentence', ['你', '好', '。', '再', '见', '。'], ['你好。', '再见。']],
    ['lines, whatever ends them', 'line', ['a', ' b', '\n', 'c', '\r\n', 'd', '\r', 'e'], ['a b', 'c', 'd', 'e']],
    ['paragraphs', 'paragraph', ['a', '\n', 'b', '\n', '\n', 'c', '\r\n \r\n', 'd'], ['a\nb', 'c', 'd']],
    ['tokens keep their visible text', 'token', ['a', ' b', '\n'], ['a', 'b', '\n']],
  ];
  test.each(cases)('%s', (_, granularity, pieces, expected) => {
    const { text, tokens } = tokensOf(pieces);
    const units = buildUnits(text, tokens, granularity, plain);
    expect(units.map((unit) => unit.label)).toEqual(expected);
    expect(units.flatMap((unit) => unit.tokens)).toEqual(tokens.map((_token, index) => index));
    units.forEach((unit, i) => {
      expect(text.slice(unit.start, unit.end)).toBe(unit.label);
      if (i > 0) expect(unit.start).toBeGreaterThanOrEqual(units[i - 1]?.end ?? 0);
    });
  });

  test('no prompt, no units', () => expect(buildUnits('', [], 'word', plain)).toEqual([]));

  test('several tokens of one character: a unit each as tokens, one unit as a word', () => {
    const text = 'a 🙂';
    const tokens: Token[] = [
      { id: 0, text: 'a', start: 0, end: 1, special: false },
      { id: 1, text: '�', start: 1, end: 4, special: false },
      { id: 2, text: '�', start: 2, end: 4, special: false },
    ];
    expect(buildUnits(text, tokens, 'token', plain).map((unit) => unit.label)).toEqual(['a', '🙂', '🙂']);
    expect(buildUnits(text, tokens, 'word', plain).map((unit) => unit.label)).toEqual(['a', '🙂']);
  });
});

describe('who wrote it', () => {
  const { text, tokens } = tokensOf([
    '⟦<|im_start|>⟧',
    'user',
    '\n',
    'Hi',
    ' there',
    '⟦<|im_end|>⟧',
    '\n',
    '⟦<|im_start|>⟧',
    'assistant',
    '\n',
  ]);
  const from = text.indexOf('Hi');
  const templateRanges: TextRange[] = [
    { start: 0, end: from },
    { start: from + 8, end: text.length },
  ];
  test.each(['token', 'word', 'sentence', 'line', 'paragraph', 'section'] as const)(
    '%s units keep template and author apart',
    (granularity) => {
      const units = buildUnits(text, tokens, granularity, { sections: [], templateRanges });
      const author = units.filter((unit) => unit.kind === 'text').flatMap((unit) => unit.tokens);
      expect(author).toEqual([3, 4]);
      expect(units.filter((unit) => unit.kind === 'special').map((unit) => unit.tokens)).toEqual([[0], [5], [7]]);
      expect(units.filter((unit) => unit.kind === 'template').flatMap((unit) => unit.tokens)).toEqual([1, 2, 6, 8, 9]);
    },
  );

  test('a token that mixes both is the author’s when it shows a character of the author', () => {
    const mixed: Token[] = [{ id: 0, text: '\nHi', start: 0, end: 3, special: false }];
    expect(buildUnits('\nHi', mixed, 'word', { sections: [], templateRanges: [{ start: 0, end: 1 }] })[0]).toMatchObject({
      kind: 'text',
      start: 1,
    });
  });
});

describe('sections', () => {
  const { text, tokens } = tokensOf(['Say', ' hello', ' to', ' Ada', ' now', '\n\n', 'Bye']);
  const sections: Section[] = [
    { kind: 'message', label: 'user', role: 'user', start: 0, end: text.length },
    { kind: 'paragraph', label: 'Say…', start: 0, end: text.indexOf('\n') },
    { kind: 'variable', label: 'name', start: text.indexOf('Ada'), end: text.indexOf('Ada') + 3 },
  ];
  test('the innermost section makes the unit', () => {
    const units = buildUnits(text, tokens, 'section', { sections, templateRanges: [] });
    expect(units.map((unit) => unit.label)).toEqual(['Say hello to', 'Ada', 'now', 'Bye']);
  });
  test('every token knows its role and its innermost section', () => {
    const places = sectionsOf(text, tokens, sections);
    expect(places[3]).toEqual({ role: 'user', section: 'name' });
    expect(places[6]).toEqual({ role: 'user', section: 'user' });
    expect(sectionsOf(text, tokens, [])[0]).toEqual({});
  });
});

describe('regrouping', () => {
  const { text, tokens } = tokensOf(['One', ' t', 'wo', '.', ' Three', '.']);
  const words = buildUnits(text, tokens, 'word', plain);
  const sentences = buildUnits(text, tokens, 'sentence', plain);
  const single = buildUnits(text, tokens, 'token', plain);
  test('coarser is the sum', () => {
    expect([...regroup(words, [1, 2, -4], sentences)]).toEqual([3, -4]);
    expect([...regroup(single, [1, 2, 3, 4, 5, 6], words)]).toEqual([1, 9, 11]);
  });
  test('finer is an equal share, and the sum stays', () => {
    expect([...regroup(words, [1, 3, 4], single)]).toEqual([1, 1, 1, 1, 2, 2]);
    expect([...regroup(single, regroup(words, [1, 3, 4], single), words)]).toEqual([1, 3, 4]);
  });
  test('the same granularity changes nothing', () => expect([...regroup(words, [0.5, -1, 2], words)]).toEqual([0.5, -1, 2]));
});

describe('sinks', () => {
  const { text, tokens } = tokensOf(['The', ' cat', ' sat']);
  const words = buildUnits(text, tokens, 'word', plain);
  test('only when told', () =>
    expect(markSinks(words, text, tokens, {}).map((unit) => unit.kind)).toEqual(['text', 'text', 'text']));
  test('the first token', () =>
    expect(markSinks(words, text, tokens, { firstToken: true }).map((unit) => unit.kind)).toEqual(['sink', 'text', 'text']));
  test('by attention received', () =>
    expect(markSinks(words, text, tokens, { received: [0.1, 0.6, 0.3], threshold: 0.5 }).map((unit) => unit.kind)).toEqual([
      'text',
      'sink',
      'text',
    ]));
  test('a unit that holds more than the sink stays', () => {
    const line = buildUnits(text, tokens, 'line', plain);
    expect(markSinks(line, text, tokens, { firstToken: true })[0]?.kind).toBe('text');
  });
});
