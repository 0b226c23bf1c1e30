import { describe, expect, test } from 'vitest';
import { alignTokens, applyEdit } from '../../src/extension/overlay/alignment.ts';
import { lineStarts, toLineRanges } from '../../src/extension/overlay/linePositions.ts';
import { overlayRanges, weightRanges } from '../../src/extension/overlay/overlayRanges.ts';
import { type SampleUnit, sampleDocument, sampleExplanation } from './sampleExplanation.ts';

const plain = { showHidden: false, intensity: 1 };

function drawn(parts: readonly SampleUnit[], options = plain): Record<string, string[]> {
  const explanation = sampleExplanation(parts);
  const text = sampleDocument(parts);
  const ranges = overlayRanges(explanation, alignTokens(explanation), options);
  return Object.fromEntries([...ranges].map(([step, of]) => [String(step), of.map(({ start, end }) => text.slice(start, end))]));
}

describe('overlay', () => {
  const cases: [name: string, parts: SampleUnit[], expected: Record<string, string[]>][] = [
    [
      'signs and strengths',
      [
        { text: 'a', score: 1 },
        { text: ' b', score: -0.5 },
        { text: ' c', score: 0.05 },
      ],
      { '5': ['a'], '-3': ['b'] },
    ],
    [
      'neighbours of one step are one range',
      [
        { text: 'un', score: 1 },
        { text: 'able', score: 1 },
        { text: ' x', score: 0 },
      ],
      { '5': ['unable'] },
    ],
    [
      'NaN is not drawn',
      [
        { text: 'a', score: Number.NaN },
        { text: ' b', score: 2 },
      ],
      { '5': ['b'] },
    ],
    [
      'infinity is not drawn and does not set the scale',
      [
        { text: 'a', score: Number.POSITIVE_INFINITY },
        { text: ' b', score: 2 },
      ],
      { '5': ['b'] },
    ],
    [
      'all zero draws nothing',
      [
        { text: 'a', score: 0 },
        { text: ' b', score: 0 },
      ],
      {},
    ],
    [
      'a sink is hidden and does not set the scale',
      [
        { text: 'a', score: 100, kind: 'sink' },
        { text: ' b', score: 1 },
      ],
      { '5': ['b'] },
    ],
    ['no units', [], {}],
  ];
  test.each(cases)('%s', (_name, parts, expected) => expect(drawn(parts)).toEqual(expected));

  test('a sink shows when asked for', () => {
    expect(
      drawn(
        [
          { text: 'a', score: 10, kind: 'sink' },
          { text: ' b', score: 1 },
        ],
        { ...plain, showHidden: true },
      ),
    ).toEqual({
      '5': ['a'],
      '1': ['b'],
    });
  });

  test('twice the intensity reaches the strongest tint at half the score', () => {
    expect(
      drawn(
        [
          { text: 'a', score: 2 },
          { text: ' b', score: 1 },
        ],
        { ...plain, intensity: 2 },
      ),
    ).toEqual({ '5': ['a', 'b'] });
  });

  test('tokens of one character draw it once, as the strongest of them', () => {
    const explanation = sampleExplanation([{ text: '😀', score: 0.2 }]);
    explanation.tokens.push({ id: 9, text: '\ufffd', start: 0, end: 2, special: false });
    explanation.units.push({ start: 0, end: 2, label: '😀', kind: 'text', tokens: [1] });
    explanation.scores.push(-1);
    expect([...overlayRanges(explanation, alignTokens(explanation), plain)]).toEqual([[-5, [{ start: 0, end: 2 }]]]);
  });

  test('a token that begins before the text of the document is drawn from its first letter there', () => {
    // " Within": the space stands in front of a variable, the word in its value elsewhere in the document.
    const explanation = sampleExplanation([{ text: ' Within', score: 1 }]);
    explanation.prompt.sourceMap = [{ start: 1, end: 7, documentStart: 20 }];
    expect([...overlayRanges(explanation, alignTokens(explanation), plain)]).toEqual([[5, [{ start: 20, end: 26 }]]]);
  });

  test('white space tokens of a unit are not drawn', () => {
    const explanation = sampleExplanation([
      { text: '\n\n', score: 0 },
      { text: 'a b', score: 0 },
      { text: '\n', score: 0 },
    ]);
    explanation.units = [{ start: 2, end: 5, label: 'a b', kind: 'text', tokens: [0, 1, 2] }];
    explanation.scores = [1];
    expect([...overlayRanges(explanation, alignTokens(explanation), plain)]).toEqual([[5, [{ start: 2, end: 5 }]]]);
  });

  test('an edited word is stale and the others keep their tint', () => {
    const explanation = sampleExplanation([
      { text: 'one', score: 1 },
      { text: ' two', score: 1 },
    ]);
    const alignment = applyEdit(alignTokens(explanation), [{ offset: 1, deleted: 0, inserted: 'x' }]);
    const ranges = overlayRanges(explanation, alignment, plain);
    expect(ranges.get('stale')).toEqual([{ start: 0, end: 4 }]);
    expect(ranges.get(5)).toEqual([{ start: 5, end: 8 }]);
  });

  test('ranges of 5,000 tokens ascend, do not overlap and use eleven steps at most', () => {
    const parts = Array.from({ length: 5000 }, (_, index) => ({ text: ` w${index}`, score: Math.sin(index) }));
    const explanation = sampleExplanation(parts);
    const ranges = overlayRanges(explanation, alignTokens(explanation), plain);
    expect(ranges.size).toBeLessThanOrEqual(11);
    const all = [...ranges.values()].flat().sort((a, b) => a.start - b.start);
    expect(all.length).toBeGreaterThan(4000);
    all.reduce((end, range) => {
      expect(range.start).toBeGreaterThanOrEqual(end);
      expect(range.end).toBeGreaterThan(range.start);
      return range.end;
    }, 0);
  });
});

test('attention weights use the positive half', () => {
  const explanation = sampleExplanation([
    { text: 'a', score: 0 },
    { text: 'b', score: 0 },
    { text: 'c', score: 0 },
  ]);
  const ranges = weightRanges(Float32Array.of(1, 0.5, Number.NaN), alignTokens(explanation), 1);
  expect([...ranges]).toEqual([
    [5, [{ start: 0, end: 1 }]],
    [3, [{ start: 1, end: 2 }]],
  ]);
});

describe('offsets to lines', () => {
  const cases: [name: string, text: string, range: [number, number], expected: [number, number, number, number]][] = [
    ['one line', 'abc', [1, 2], [0, 1, 0, 2]],
    ['across a line', 'ab\ncd', [1, 4], [0, 1, 1, 1]],
    ['CRLF is one break', 'ab\r\ncd', [4, 6], [1, 0, 1, 2]],
    ['a lone CR is a break', 'ab\rcd', [3, 5], [1, 0, 1, 2]],
    ['at the end', 'ab\n', [3, 3], [1, 0, 1, 0]],
  ];
  test.each(cases)('%s', (_name, text, [start, end], [startLine, startCharacter, endLine, endCharacter]) => {
    expect(toLineRanges(lineStarts(text), [{ start, end }])).toEqual([{ startLine, startCharacter, endLine, endCharacter }]);
  });
});
