import { expect, test } from 'vitest';
import { fixedText, plainText, preciseText } from '../../src/shared/numberText.ts';

test.each([
  [fixedText(-1.5, 2), '−1.50'],
  [fixedText(1.5, 2), '1.50'],
  [fixedText(-0.001, 2), '0.00'],
  [fixedText(0, 1), '0.0'],
  [fixedText(Number.NaN, 2), 'NaN'],
  [fixedText(-Infinity, 2), '−Infinity'],
  [preciseText(-0.03125, 3), '−0.0313'],
  [preciseText(-123456, 2), '−1.2e+5'],
  [preciseText(1e-9, 2), '1.0e−9'],
  [plainText(-1e-7), '−1e−7'],
  [plainText(-2), '−2'],
  [plainText(-0), '0'],
])('%s', (text, expected) => {
  expect(text).toBe(expected);
});
