import { expect, test } from 'vitest';
import { summariseScores } from '../../../webview/explain/scoreSummary.ts';
import { explanationOf } from '../harness/samples.ts';

const explanation = explanationOf([
  ['<s>', 'special', 100],
  ['The ', 'sink', 8],
  ['capital ', 'text', 2],
  ['of ', 'text', -2],
  ['France', 'text', 4],
  ['!', 'text', 0],
]);

const rows = (showHidden: boolean) =>
  summariseScores(explanation, showHidden).units.map((unit) => [unit.rank, Math.round(unit.share * 100), unit.step]);

test('hidden units have no rank, no tint and no part in the total; equal sizes share a rank', () => {
  expect(rows(false)).toEqual([
    [null, 1250, 0],
    [null, 100, 0],
    [2, 25, 3],
    [2, 25, -3],
    [1, 50, 5],
    [4, 0, 0],
  ]);
});

test('shown, they count like any other', () => {
  expect(rows(true)).toEqual([
    [1, 86, 5],
    [2, 7, 0],
    [4, 2, 0],
    [4, 2, 0],
    [3, 3, 0],
    [6, 0, 0],
  ]);
});

test('ranking: largest first, reading order among equals', () => {
  expect(summariseScores(explanation, false).ranked.map((unit) => unit.label)).toEqual(['France', 'capital', 'of', '!']);
});

test.each([
  ['no units', [], 0],
  ['only zeros', [0, 0], 0],
  ['NaN and infinity are left out', [Number.NaN, Number.POSITIVE_INFINITY, 3], 3],
] as const)('%s', (_, scores, maximum) => {
  const summary = summariseScores(explanationOf(scores.map((score) => ['w ', 'text', score] as const)), false);
  expect(summary.maximum).toBe(maximum);
  expect(summary.units.every((unit) => Number.isFinite(unit.share))).toBe(true);
});
