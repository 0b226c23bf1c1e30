import { describe, expect, test } from 'vitest';
import { chanceOfOverlap } from '../../../src/analysis/statistics/hypergeometric.ts';
import { brierScore, expectedCalibrationError, reliabilityBins } from '../../../src/analysis/statistics/reliability.ts';

const judged = (...pairs: [number, boolean][]) => pairs.map(([confidence, isRight]) => ({ confidence, isRight }));

describe('calibration in closed form', () => {
  test.each([
    ['always right with 1', judged([1, true], [1, true]), 0, 0],
    ['always wrong with 1', judged([1, false], [1, false]), 1, 1],
    ['a coin called a coin', judged([0.5, true], [0.5, false]), 0, 0.25],
    // Bin of 0.9: accuracy 0.5, gap 0.4, three quarters... of four cases two: 0.5 · 0.4; bin of 0.1: accuracy 0, gap 0.1: 0.5 · 0.1.
    ['two bins', judged([0.9, true], [0.9, false], [0.1, false], [0.1, false]), 0.25, (0.01 + 0.81 + 0.01 + 0.01) / 4],
  ])('%s', (_name, cases, error, brier) => {
    expect(expectedCalibrationError(reliabilityBins(cases, 10))).toBeCloseTo(error, 12);
    expect(brierScore(cases)).toBeCloseTo(brier, 12);
  });

  test('bins are of equal width, and 1 belongs to the last', () => {
    const bins = reliabilityBins(judged([0, true], [0.25, true], [0.49, false], [1, true]), 4);
    expect(bins.map(({ count }) => count)).toEqual([1, 2, 0, 1]);
    expect(bins.map(({ from, to }) => [from, to])).toEqual([
      [0, 0.25],
      [0.25, 0.5],
      [0.5, 0.75],
      [0.75, 1],
    ]);
    expect(bins[1]).toMatchObject({ confidence: 0.37, accuracy: 0.5 });
    expect(bins[2]?.interval).toEqual([0, 1]);
  });

  test('a confidence on a border belongs above it, whatever rounding makes of it', () => {
    const hundredths = Array.from({ length: 101 }, (_, cent): [number, boolean] => [cent / 100, true]);
    const counts = reliabilityBins(judged(...hundredths), 100).map(({ count }) => count);
    expect(counts).toEqual([...new Array<number>(99).fill(1), 2]);
  });

  test('a calibrated forecaster: the Brier score is the mean variance, the error 0', () => {
    // 10 cases at 0.2 of which 2 are right, 10 at 0.7 of which 7 are.
    const cases = [0.2, 0.7].flatMap((p) =>
      Array.from({ length: 10 }, (_, index) => ({ confidence: p, isRight: index < 10 * p })),
    );
    expect(expectedCalibrationError(reliabilityBins(cases, 10))).toBeCloseTo(0, 12);
    expect(brierScore(cases)).toBeCloseTo((0.2 * 0.8 + 0.7 * 0.3) / 2, 12);
  });

  test('no case has no error', () => expect(expectedCalibrationError(reliabilityBins([], 5))).toBe(0));
});

describe('overlap by chance', () => {
  test.each([
    [10, 3, 3, 0, 1],
    [10, 3, 3, 3, 1 / 120],
    [10, 3, 3, 1, 1 - 35 / 120],
    [4, 2, 2, 2, 1 / 6],
    [3, 2, 2, 1, 1],
    [5, 5, 2, 2, 1],
  ])('of %i words %i marked, %i drawn, at least %i hits', (total, marked, drawn, hits, expected) => {
    expect(chanceOfOverlap(total, marked, drawn, hits)).toBeCloseTo(expected, 10);
  });

  test('against counting all draws', () => {
    const [total, marked, drawn] = [9, 4, 3];
    const sets = Array.from({ length: 2 ** total }, (_, bits) => bits).filter(
      (bits) => bits.toString(2).replaceAll('0', '').length === drawn,
    );
    for (const hits of [0, 1, 2, 3]) {
      const common = sets.filter((bits) => (bits & (2 ** marked - 1)).toString(2).replaceAll('0', '').length >= hits).length;
      expect(chanceOfOverlap(total, marked, drawn, hits)).toBeCloseTo(common / sets.length, 10);
    }
  });
});
