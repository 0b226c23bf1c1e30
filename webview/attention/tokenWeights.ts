/** One token's row or column of an attention matrix. */
import type { ValueScale } from './valueScale.ts';

/** `row`: what the token looks at; `column`: which tokens look at it. */
export type Direction = 'row' | 'column';

/** A head's matrix as it is shown. */
export interface Matrix {
  readonly queries: number;
  readonly keys: number;
  /** [query, key], on `scale` */
  readonly values: Float32Array;
  readonly scale: ValueScale;
}

/** The weight of each token in one row or column, over the prompt's tokens. */
export function tokenWeights(matrix: Omit<Matrix, 'scale'>, token: number, direction: Direction): Float32Array {
  const { queries, keys, values } = matrix;
  if (direction === 'row') return values.slice(token * keys, (token + 1) * keys);
  const weights = new Float32Array(queries);
  for (let query = 0; query < queries; query += 1) weights[query] = values[query * keys + token] ?? 0;
  return weights;
}

export interface TokenWeight {
  readonly token: number;
  readonly weight: number;
}

/** The weights of largest size that are not zero, largest first, at most `count`. */
export function topWeights(weights: Float32Array, count: number): TokenWeight[] {
  const all: TokenWeight[] = [];
  weights.forEach((weight, token) => {
    if (Math.abs(weight) > 0) all.push({ token, weight });
  });
  return all.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || a.token - b.token).slice(0, count);
}
