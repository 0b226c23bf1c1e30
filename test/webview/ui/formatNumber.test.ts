import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatNumber,
  formatPart,
  formatScore,
  formatShare,
  formatSigned,
  formatSignificant,
} from '../../../webview/ui/formatNumber.ts';

describe('numbers', () => {
  test.each([
    [1.234, '1.23', '+1.23'],
    [-1.234, '−1.23', '−1.23'],
    [0, '0.00', '0.00'],
    [-0.001, '0.00', '0.00'],
    [0.001, '0.00', '0.00'],
    [Number.NaN, 'NaN', 'NaN'],
    [Number.POSITIVE_INFINITY, '∞', '+∞'],
    [Number.NEGATIVE_INFINITY, '−∞', '−∞'],
  ])('%d', (value, plain, signed) => {
    expect(formatNumber(value)).toBe(plain);
    expect(formatSigned(value)).toBe(signed);
  });
});

test.each([
  [0, '0'],
  [0.0041234, '0.00412'],
  [-0.5, '−0.500'],
  [12.345, '12.3'],
  [-1234.5, '−1235'],
  [Number.NaN, 'NaN'],
])('%d with three significant digits', (value, expected) => expect(formatSignificant(value)).toBe(expected));

test.each([
  [1.9, true, '+1.90'],
  [1.9, false, '1.90'],
  [-0.0041, true, '−0.0041'],
  [0.0041, true, '+0.0041'],
  [0, true, '0.00'],
  [Number.NaN, true, 'NaN'],
])('score %d, signed %j', (value, signed, expected) => expect(formatScore(value, signed)).toBe(expected));

test.each([
  [0, '0 %'],
  [0.0004, '< 0.1 %'],
  [0.003, '0.3 %'],
  [0.0996, '10 %'],
  [0.77, '77 %'],
  [0.9999, '> 99.9 %'],
  [1, '100 %'],
  [Number.NaN, 'NaN'],
])('share %d', (share, expected) => expect(formatShare(share)).toBe(expected));

test.each([
  [12.4, '12 ms'],
  [3240, '3.2 s'],
  [125_000, '2 min 5 s'],
  [59_970, '1 min 0 s'],
  [119_800, '2 min 0 s'],
])('%d milliseconds', (milliseconds, expected) => expect(formatDuration(milliseconds)).toBe(expected));

test.each([
  [0.1234, true, '+12.3 %'],
  [-0.04, true, '−4.0 %'],
  [0, true, '0.0 %'],
  [0.5, false, '50.0 %'],
])('the part %d (sign: %s) is %s', (part, signed, text) => expect(formatPart(part, signed)).toBe(text));
