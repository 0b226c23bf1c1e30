import { expect, test } from 'vitest';
import { inkOf, inkPixels } from '../../../webview/attention/colourRamp.ts';

test.each([
  [0, 0],
  [0.25, 128],
  [1, 255],
  [7, 255],
  [-1, 0],
  [Number.NaN, 0],
])('ink of %d', (weight, ink) => expect(inkOf(weight)).toBe(ink));

const colour = { red: 1, green: 2, blue: 3 };
// [3, 3]
const values = Float32Array.from([1, 0, 0, 0.25, 0.25, 0, 0, 0, 1]);
const alphas = (pixels: Uint8ClampedArray) => [...pixels].filter((_, index) => index % 4 === 3);

test('one pixel a cell', () => {
  const pixels = inkPixels(values, 3, { row: 0, rows: 3, column: 0, columns: 3 }, 3, 3, colour);
  expect(alphas(pixels)).toEqual([255, 0, 0, 128, 128, 0, 0, 0, 255]);
  expect([...pixels.slice(0, 3)]).toEqual([1, 2, 3]);
});

test('a part of the matrix', () => {
  expect(alphas(inkPixels(values, 3, { row: 1, rows: 2, column: 1, columns: 2 }, 2, 2, colour))).toEqual([128, 0, 0, 255]);
});

test('cells that share a pixel show the largest; fewer cells than pixels repeat', () => {
  expect(alphas(inkPixels(values, 3, { row: 0, rows: 3, column: 0, columns: 3 }, 1, 1, colour))).toEqual([255]);
  expect(alphas(inkPixels(values, 3, { row: 1, rows: 1, column: 1, columns: 2 }, 4, 1, colour))).toEqual([128, 128, 0, 0]);
});
