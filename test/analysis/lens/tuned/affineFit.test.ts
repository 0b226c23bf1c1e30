import { expect, it } from 'vitest';
import { AffineFit, applyMap, unitRows } from '../../../../src/analysis/lens/tuned/affineFit.ts';
import { solveSymmetric } from '../../../../src/attribution/surrogate/regression.ts';
import { gaussian, seededRandom } from '../../../../src/attribution/seededRandom.ts';
import { maximumDifference } from '../../../llama/golden.ts';

const width = 5;

function pairs(count: number, noise: number) {
  const random = seededRandom(7);
  const draw = (length: number) => Float32Array.from({ length }, () => gaussian(random));
  const weights = draw(width * width);
  const bias = draw(width);
  const xs = Array.from({ length: count }, () => draw(width).map((value, i) => value * (i + 1) + i));
  const ys = xs.map((x) => applyMap({ weights, bias }, x).map((value) => value + noise * gaussian(random)));
  return { weights, bias, xs, ys };
}

it('finds the map that made the data', () => {
  const { weights, bias, xs, ys } = pairs(40, 0);
  const fit = new AffineFit(width);
  xs.forEach((x, index) => fit.add(x, ys[index] as Float32Array));
  const found = fit.solve(1e-10);
  expect(maximumDifference(found.weights, weights)).toBeLessThan(1e-4);
  expect(maximumDifference(found.bias, bias)).toBeLessThan(1e-4);
});

it('shrinks as ridge regression on standardised inputs does, solved another way', () => {
  const { xs, ys } = pairs(30, 0.5);
  const [n, ridge] = [xs.length, 0.3];
  const fit = new AffineFit(width);
  xs.forEach((x, index) => fit.add(x, ys[index] as Float32Array));
  const mean = (rows: readonly Float32Array[], i: number) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / n;
  const spread = (i: number) => Math.sqrt(xs.reduce((sum, x) => sum + ((x[i] as number) - mean(xs, i)) ** 2, 0) / n);
  const standard = xs.map((x) => Float64Array.from(x, (value, i) => (value - mean(xs, i)) / spread(i)));
  const gram = Array.from({ length: width }, (_, i) =>
    Float64Array.from({ length: width }, (_unused, j) =>
      standard.reduce((sum, x) => sum + (x[i] as number) * (x[j] as number), i === j ? n * ridge : 0),
    ),
  );
  const rights = Array.from({ length: width }, (_, output) =>
    Float64Array.from({ length: width }, (_unused, i) =>
      standard.reduce((sum, x, row) => sum + (x[i] as number) * ((ys[row]?.[output] ?? 0) - mean(ys, output)), 0),
    ),
  );
  const slopes = solveSymmetric(gram, rights);
  const found = fit.solve(ridge);
  const x = xs[3] as Float32Array;
  const predicted = applyMap(found, x);
  slopes.forEach((slope, output) => {
    const expected = slope.reduce((sum, weight, i) => sum + weight * (standard[3]?.[i] ?? 0), mean(ys, output));
    expect(predicted[output]).toBeCloseTo(expected, 4);
  });
});

it('leaves out an input that never changes', () => {
  const fit = new AffineFit(2);
  for (const value of [1, 2, 3, 4]) fit.add(Float32Array.of(value, 5), Float32Array.of(2 * value + 1, 7));
  const found = fit.solve(1e-10);
  expect([...applyMap(found, Float32Array.of(10, 5))]).toEqual([expect.closeTo(21, 4), expect.closeTo(7, 4)]);
  expect(found.weights[1]).toBe(0);
});

it('brings rows to the size of 1 and leaves zeros alone', () => {
  expect([...unitRows(Float32Array.of(3, 4, 0, 0), 2)]).toEqual([
    expect.closeTo(3 / Math.sqrt(12.5), 6),
    expect.closeTo(4 / Math.sqrt(12.5), 6),
    0,
    0,
  ]);
});
