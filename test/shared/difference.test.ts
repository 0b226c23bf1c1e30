import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commonSubsequence } from '../../src/shared/commonSubsequence.ts';
import { type Comparable, differenceOf } from '../../src/shared/difference.ts';

/** The same length by the textbook's table. */
function lengthByTable(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
  return table[a.length]![b.length]!;
}

test('the longest common subsequence: pairs are equal, ascending, and as many as the table says', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
  fc.assert(
    fc.property(words, words, (a, b) => {
      const pairs = commonSubsequence(a, b);
      expect(pairs.length).toBe(lengthByTable(a, b));
      pairs.forEach(([left, right], at) => {
        expect(a[left]).toBe(b[right]);
        const [beforeLeft, beforeRight] = pairs[at - 1] ?? [-1, -1];
        expect(left > beforeLeft && right > beforeRight).toBe(true);
      });
    }),
    { numRuns: 400 },
  );
});

type Part = readonly [label: string, score: number, kind?: 'text' | 'sink'];
const explained = (parts: readonly Part[], id = 'occlusion'): Comparable => ({
  units: parts.map(([label, , kind = 'text'], index) => ({ label, kind, start: 0, end: 0, tokens: [index] })),
  scores: parts.map(([, score]) => score),
  method: { id, parameters: {}, seed: 0 },
});

describe('the difference', () => {
  test('of an explanation and itself at another scale is none', () => {
    const a: readonly Part[] = [
      ['x', 3],
      ['y', -1],
    ];
    const difference = differenceOf(explained(a), explained(a.map(([label, score]) => [label, 10 * score])));
    expect(difference.scores).toEqual([0, 0]);
    expect([difference.a, difference.b]).toEqual([
      [0.75, -0.25],
      [0.75, -0.25],
    ]);
  });

  test('follows an edit: words match by text and order, new ones have no partner, gone ones are told', () => {
    const before = explained([
      ['the', 1],
      ['cat', 2],
      ['the', 1],
    ]);
    const after = explained([
      ['the', 1],
      ['dog', 1],
      ['the', 2],
    ]);
    expect(differenceOf(after, before)).toEqual({
      scores: [0, 0.25, 0.25],
      a: [0.25, 0.25, 0.5],
      b: [0.25, null, 0.25],
      onlyInB: [{ label: 'cat', part: 0.5 }],
      signed: true,
    });
  });

  test.each([
    ['in A', 'sink', 'text', [0, 0.5], [0, 1], [0.5, 0.5], []],
    ['in B', 'text', 'sink', [0.5, -0.5], [0.5, 0.5], [0, 1], []],
  ] as const)('a word that is a sink %s is in both, and has no part there', (_where, kindA, kindB, scores, a, b, onlyInB) => {
    const [first, second] = [kindA, kindB].map((kind) =>
      explained([
        ['the', 1, kind],
        ['cat', 1],
      ]),
    );
    expect(differenceOf(first!, second!)).toEqual({ scores, a, b, onlyInB, signed: true });
  });

  test('compares sizes when one of the two has no sign', () => {
    const parts: readonly Part[] = [
      ['x', 1],
      ['y', -1],
    ];
    const { scores, signed } = differenceOf(
      explained(parts),
      explained(
        [
          ['x', 3],
          ['y', 1],
        ],
        'saliency',
      ),
    );
    expect([scores, signed]).toEqual([[-0.25, 0.25], false]);
  });

  test('leaves sinks out of both', () => {
    const { scores, a } = differenceOf(
      explained([
        ['s', 9, 'sink'],
        ['x', 1],
      ]),
      explained([['x', 5]]),
    );
    expect([scores, a]).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  test('less than a thousandth of the weight is no difference', () => {
    const pair = (x: number) =>
      explained([
        ['a', 0.6 + x],
        ['b', 0.4 - x],
      ]);
    expect(differenceOf(pair(0.0009), pair(0)).scores).toEqual([0, 0]);
    expect(differenceOf(pair(0.0011), pair(0)).scores.map((score) => Math.round(score * 1e6))).toEqual([1100, -1100]);
    expect(differenceOf(pair(0.0009), pair(0)).a[0]).toBeCloseTo(0.6009, 9);
  });

  test('of scores that are all zero, or no numbers, is no NaN', () => {
    const { scores } = differenceOf(explained([['x', 0]]), explained([['x', Number.NaN]]));
    expect(scores).toEqual([0]);
  });
});
