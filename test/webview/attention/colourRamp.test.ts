import { expect, test } from 'vitest';
import { inkOf, inkPixels, signedInkOf } from '../../../webview/attention/colourRamp.ts';
import { weightScale } from '../../../webview/attention/valueScale.ts';

test.each([
  [0, 0],
  [0.25, 128],
  [1, 255],
  [7, 255],
  [-1, 0],
  [Number.NaN, 0],
])('ink of %d', (weight, ink) => expect(inkOf(weight)).toBe(ink));

test.each([
  [0, 0],
  [0.0099, 0],
  [0.01, 51],
  [-0.05, 102],
  [0.5, 204],
  [-1, 255],
  [7, 255],
  [Number.NaN, 0],
])('signed ink of %d on a scale to 1', (value, ink) => expect(signedInkOf(value, 1)).toBe(ink));

test('a head without any effect is clear', () => expect(signedInkOf(0, 0)).toBe(0));

const colour = { red: 1, green: 2, blue: 3 };
const inks = { weight: colour, positive: { red: 4, green: 0, blue: 0 }, negative: { red: 5, green: 0, blue: 0 } };
// [3, 3]
const values = Float32Array.from([1, 0, 0, 0.25, 0.25, 0, 0, 0, 1]);
const alphas = (pixels: Uint8ClampedArray) => [...pixels].filter((_, index) => index % 4 === 3);

test('one pixel a cell', () => {
  const pixels = inkPixels(values, 3, { row: 0, rows: 3, column: 0, columns: 3 }, 3, 3, inks, weightScale);
  expect(alphas(pixels)).toEqual([255, 0, 0, 128, 128, 0, 0, 0, 255]);
  expect([...pixels.slice(0, 3)]).toEqual([1, 2, 3]);
});

test('a part of the matrix', () => {
  expect(alphas(inkPixels(values, 3, { row: 1, rows: 2, column: 1, columns: 2 }, 2, 2, inks, weightScale))).toEqual([
    128, 0, 0, 255,
  ]);
});

test('cells that share a pixel show the largest; fewer cells than pixels repeat', () => {
  expect(alphas(inkPixels(values, 3, { row: 0, rows: 3, column: 0, columns: 3 }, 1, 1, inks, weightScale))).toEqual([255]);
  expect(alphas(inkPixels(values, 3, { row: 1, rows: 1, column: 1, columns: 2 }, 4, 1, inks, weightScale))).toEqual([
    128, 128, 0, 0,
  ]);
});

test('signed: cells that share a pixel show the one of largest size, in the hue of its sign', () => {
  const signed = Float32Array.from([0.25, -1, 0, 0.5]);
  const scale = { kind: 'signed', maximum: 1, weightedBy: { label: ' Paris', unit: 'nat' } } as const;
  const pixels = inkPixels(signed, 2, { row: 0, rows: 2, column: 0, columns: 2 }, 1, 2, inks, scale);
  expect([...pixels]).toEqual([5, 0, 0, 255, 4, 0, 0, 204]);
});
