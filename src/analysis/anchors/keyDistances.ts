/**
 * Which labels the model should mix up (Wang et al. 2023, arXiv 2305.14160, section 4.3): those whose key vectors lie close, in the
 * directions in which the query vectors at the place of the answer vary.
 */
import { Matrix, SVD } from 'ml-matrix';

/** Share of the variance of the queries that the kept directions explain. */
const explained = 0.95;

/**
 * Principal directions of the queries. @param queries [cases][width], at least two @returns [components][width], orthonormal
 */
export function principalDirections(queries: readonly ArrayLike<number>[]): Float64Array[] {
  const width = queries[0]?.length ?? 0;
  const means = Float64Array.from(
    { length: width },
    (_, at) => queries.reduce((sum, query) => sum + (query[at] as number), 0) / queries.length,
  );
  const centred = queries.map((query) => Array.from(query, (value, at) => value - (means[at] as number)));
  const { diagonal, rightSingularVectors } = new SVD(new Matrix(centred), {
    computeLeftSingularVectors: false,
    autoTranspose: true,
  });
  const total = diagonal.reduce((sum, value) => sum + value ** 2, 0);
  if (!(total > 0)) return [];
  const directions: Float64Array[] = [];
  let sum = 0;
  for (const [component, value] of diagonal.entries()) {
    if (sum >= explained * total) break;
    sum += value ** 2;
    directions.push(Float64Array.from({ length: width }, (_, at) => rightSingularVectors.get(at, component)));
  }
  return directions;
}

/**
 * Confusion_ij = ‖k_i − k_j‖ / max_st ‖k_s − k_t‖: 1 for the pair that is told apart best, near 0 for one that is mixed up.
 * @param keys [classes][width] mean key of each class @param directions what distances are taken in; absent: everything
 * @returns [classes, classes]
 */
export function keyDistances(keys: readonly ArrayLike<number>[], directions?: readonly Float64Array[]): Float64Array {
  const count = keys.length;
  const seen = keys.map((key) =>
    directions === undefined ? Array.from(key) : directions.map((direction) => product(key, direction)),
  );
  const distances = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) distances[i * count + j] = distance(seen[i] as number[], seen[j] as number[]);
  }
  const largest = distances.reduce((most, value) => Math.max(most, value), 0);
  return largest > 0 ? distances.map((value) => value / largest) : distances;
}

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(a.reduce((sum, value, at) => sum + (value - (b[at] as number)) ** 2, 0));
}
