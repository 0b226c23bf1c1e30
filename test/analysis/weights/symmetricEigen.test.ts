import { expect, it } from 'vitest';
import { singularDirections } from '../../../src/analysis/weights/headWrites.ts';
import { symmetricEigen } from '../../../src/analysis/weights/symmetricEigen.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';

it('finds the two axes of a small matrix', () => {
  // [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, −1)
  const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
  expect(values[0]).toBeCloseTo(3, 12);
  expect(values[1]).toBeCloseTo(1, 12);
  expect(Math.abs((vectors[0] as number) + (vectors[1] as number))).toBeCloseTo(Math.SQRT2, 12);
  expect((vectors[2] as number) + (vectors[3] as number)).toBeCloseTo(0, 12);
});

it.each([1, 2, 7, 40])('takes a random symmetric matrix of size %i apart and puts it together', (n) => {
  const random = seededRandom(n);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = random() - 0.5;
  const { values, vectors } = symmetricEigen(matrix, n);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let [product, inner] = [0, 0];
      for (let k = 0; k < n; k++) {
        product += (values[k] as number) * (vectors[k * n + i] as number) * (vectors[k * n + j] as number);
        inner += (vectors[i * n + k] as number) * (vectors[j * n + k] as number);
      }
      expect(product).toBeCloseTo(matrix[i * n + j] as number, 9);
      expect(inner).toBeCloseTo(i === j ? 1 : 0, 9);
    }
  }
});

it('gives the singular directions of a matrix that is one by construction', () => {
  // Rows 3 · (0.6, 0.8, 0) and 2 · (0, 0, 1), turned into each other by 30 degrees.
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const matrix = Float32Array.of(c * 1.8, c * 2.4, -s * 2, s * 1.8, s * 2.4, c * 2);
  const { directions, strengths } = singularDirections(matrix, 2, 3);
  expect(strengths[0]).toBeCloseTo(3, 5);
  expect(strengths[1]).toBeCloseTo(2, 5);
  expect([...directions.subarray(0, 3)].map(Math.abs)).toEqual([
    expect.closeTo(0.6, 5),
    expect.closeTo(0.8, 5),
    expect.closeTo(0, 5),
  ]);
  expect([...directions.subarray(3)].map(Math.abs)).toEqual([expect.closeTo(0, 5), expect.closeTo(0, 5), expect.closeTo(1, 5)]);
});
