import { expect, test } from 'vitest';
import { regroupExplanation } from '../../src/extension/explain/regroupExplanation.ts';
import { sampleExplanation } from './sampleExplanation.ts';

const explanation = sampleExplanation(
  [
    { text: 'One', score: 1 },
    { text: ' two', score: 2 },
    { text: '\nthree', score: -4 },
  ],
  {
    intervals: [
      [0, 2],
      [1, 3],
      [-5, -3],
    ],
    matrix: {
      rows: [0, 1],
      scores: [
        [1, 2, -4],
        [0, 3, 1],
      ],
      unit: 'nat',
    },
    findings: { layers: [[1, 1, 1]], bounds: [[2, 4]], interactions: [[0, 1, 0.5]], throughThoughts: 0.5 },
  },
);

test('the same granularity is the same object', () => expect(regroupExplanation(explanation, 'word')).toBe(explanation));

test('sums go to coarser units, in the matrix and the layers too; what holds for single units only is left out', () => {
  const lines = regroupExplanation(explanation, 'line');
  expect(lines.units.map(({ label }) => label)).toEqual(['One two', 'three']);
  expect(lines.scores).toEqual([3, -4]);
  expect(lines.matrix).toEqual({
    rows: [0, 1],
    scores: [
      [3, -4],
      [3, 1],
    ],
    unit: 'nat',
  });
  expect(lines.findings).toEqual({ throughThoughts: 0.5, layers: [[2, 1]] });
  expect(lines.intervals).toBeUndefined();
});
