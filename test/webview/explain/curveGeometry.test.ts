import { describe, expect, test } from 'vitest';
import { type CurvePoint, polylinePoints, valueAt, valueRange } from '../../../webview/explain/curveGeometry.ts';

const curve: readonly CurvePoint[] = [
  [0, 4],
  [0.5, 2],
  [1, -4],
];

test.each([
  [
    [curve, [[0, 6]]],
    [-4, 6],
  ],
  [[[[0, 2]]], [1.5, 2.5]],
  [[[[0, Number.NaN]]], [0, 1]],
  [[], [0, 1]],
] as const)('the range of %j', (curves, range) => expect(valueRange(curves)).toEqual(range));

test('points: share to the right, value upwards, what is no number left out', () => {
  const frame = { left: 10, top: 20, width: 100, height: 80 };
  expect(polylinePoints([...curve, [1, Number.NaN]], [-4, 4], frame)).toBe('10.0,20.0 60.0,40.0 110.0,100.0');
});

describe('the value at a share', () => {
  test.each([
    [0, 4],
    [0.25, 3],
    [0.5, 2],
    [0.75, -1],
    [2, -4],
  ])('%d is %d', (share, value) => expect(valueAt(curve, share)).toBe(value));

  test('of one point is its value, of none NaN', () => {
    expect(valueAt([[0.3, 7]], 0.1)).toBe(7);
    expect(valueAt([], 0.1)).toBeNaN();
  });
});
