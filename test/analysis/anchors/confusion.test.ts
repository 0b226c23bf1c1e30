import { describe, expect, test } from 'vitest';
import { anchorFlow, exampleFlow, lookSaliency } from '../../../src/analysis/anchors/anchorFlow.ts';
import { keyDistances, principalDirections } from '../../../src/analysis/anchors/keyDistances.ts';
import { measuredConfusion } from '../../../src/analysis/anchors/measuredConfusion.ts';

describe('flow', () => {
  // Two heads over three tokens; rows are queries.
  const weighted = { shape: [2, 3, 3], data: Float32Array.from([1, 0, 0, 2, 1, 0, 3, -4, 1, 1, 0, 0, -1, 1, 0, 1, 1, 1]) };

  test('magnitudes of heads, and magnitude of their sum', () => {
    expect([...lookSaliency(weighted, 'sum-of-magnitudes')]).toEqual([2, 0, 0, 3, 2, 0, 4, 5, 2]);
    expect([...lookSaliency(weighted, 'magnitude-of-sum')]).toEqual([2, 0, 0, 1, 2, 0, 4, 3, 2]);
  });

  test('three kinds of looks, by hand', () => {
    const saliency = lookSaliency(weighted, 'sum-of-magnitudes');
    expect(anchorFlow(saliency, 3, [1], 2)).toEqual({ textToLabel: 3, labelToTarget: 5, other: 4 });
    expect(anchorFlow(saliency, 3, [0], 1)).toEqual({ textToLabel: 0, labelToTarget: 3, other: 0 });
    expect(exampleFlow(saliency, 3, { label: 1, text: [0] }, 2)).toEqual({ textToLabel: 3, labelToTarget: 5, textToTarget: 4 });
  });
});

describe('predicted confusion', () => {
  test('distances as shares of the largest', () => {
    const keys = [
      [0, 0],
      [3, 4],
      [0, 1],
    ];
    const expected = [0, 5, 1, 5, 0, Math.hypot(3, 3), 1, Math.hypot(3, 3), 0].map((value) => value / 5);
    keyDistances(keys).forEach((value, at) => expect(value).toBeCloseTo(expected[at] as number, 12));
    expect([...keyDistances([[1, 2]])]).toEqual([0]);
  });

  test('queries that vary along one line leave that direction alone', () => {
    const along = [0.6, 0, 0.8];
    const queries = [-2, 0, 1, 5].map((step) => along.map((value) => 7 + step * value));
    const directions = principalDirections(queries);
    expect(directions).toHaveLength(1);
    const sign = Math.sign(directions[0]?.[0] ?? 1);
    directions[0]?.forEach((value, at) => expect(sign * value).toBeCloseTo(along[at] as number, 10));
    // Keys that differ across the line only are not told apart; along it they are.
    const distances = keyDistances([[0, 0, 0], [0, 9, 0], along], directions);
    expect(distances[1]).toBeCloseTo(0, 10);
    expect(distances[2]).toBeCloseTo(1, 10);
  });

  test('fewer queries than numbers in each, and the other way round: orthonormal, and enough of the variance', () => {
    for (const [count, width] of [
      [4, 30],
      [30, 4],
    ] as const) {
      const queries = Array.from({ length: count }, (_, row) =>
        Array.from({ length: width }, (_unused, at) => Math.sin(row * 7.3 + at * at * 1.7)),
      );
      const directions = principalDirections(queries);
      const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).reduce((sum, value, at) => sum + value * (b[at] as number), 0);
      directions.forEach((a, i) => {
        directions.forEach((b, j) => expect(product(a, b)).toBeCloseTo(i === j ? 1 : 0, 8));
      });
      const means = Array.from(
        { length: width },
        (_, at) => queries.reduce((sum, query) => sum + (query[at] as number), 0) / count,
      );
      const centred = queries.map((query) => query.map((value, at) => value - (means[at] as number)));
      const total = centred.reduce((sum, query) => sum + product(query, query), 0);
      const kept = centred.reduce(
        (sum, query) => sum + directions.reduce((inner, direction) => inner + product(query, direction) ** 2, 0),
        0,
      );
      expect(kept / total).toBeGreaterThanOrEqual(0.95);
    }
  });

  test('queries that do not vary have no directions', () =>
    expect(
      principalDirections([
        [1, 2],
        [1, 2],
      ]),
    ).toEqual([]));
});

test('measured confusion is the area between two classes, and NaN without cases', () => {
  const answers = [
    { label: 0, probabilities: [0.6, 0.2, 0.2] },
    { label: 0, probabilities: [0.1, 0.7, 0.2] },
    { label: 1, probabilities: [0.3, 0.4, 0.3] },
  ];
  // Shares of class 0 against 1: 0.75 and 0.125 (right class 0), 0.43 (right class 1): one pair of two.
  const found = measuredConfusion(answers, 3);
  expect([found[0], found[1], found[3], found[4]]).toEqual([1, 0.5, 0.5, 1]);
  expect(found[2]).toBeNaN();
});
