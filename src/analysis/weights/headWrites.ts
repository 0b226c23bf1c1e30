import type { Model } from '../../model/model.ts';
import type { Site } from '../../model/sites.ts';
import { captureSites } from '../activations/captureSites.ts';
import { writeThrough } from '../activations/writeThrough.ts';
import { symmetricEigen } from './symmetricEigen.ts';

export interface HeadWrites {
  /** [T, D] what the head would write if it looked at that token alone: W_O of the head times v of the token. */
  readonly tokens: Float32Array;
  /** [S, D] the directions the head can write along, orthonormal, strongest first: right singular vectors of its part of W_O. */
  readonly directions: Float32Array;
  /** [S] their singular values. */
  readonly strengths: Float64Array;
  readonly isLinear: boolean;
}

/**
 * What one head can write, whatever it looks at. No weight is read: unit vectors and the prompt's values are put in place of z (see
 * `writeThrough`). Two forward passes, one of them short.
 * @throws as `captureSites`
 */
export async function headWrites(
  model: Model,
  tokens: Int32Array,
  { layer, head }: { readonly layer: number; readonly head: number },
  signal?: AbortSignal,
): Promise<HeadWrites> {
  const { heads, kvHeads, headSize, hidden } = model.info;
  const site: Site = { kind: 'v', layer };
  const v = (await captureSites(model, { tokens, sites: [site] }, signal))(site);
  const width = heads * headSize;
  const rows = new Float32Array((headSize + tokens.length) * width);
  for (let dimension = 0; dimension < headSize; dimension++) rows[dimension * width + head * headSize + dimension] = 1;
  const kv = Math.floor((head * kvHeads) / heads);
  for (let token = 0; token < tokens.length; token++) {
    const from = (token * kvHeads + kv) * headSize;
    rows.set(v.subarray(from, from + headSize), (headSize + token) * width + head * headSize);
  }
  const { outputs, isLinear } = await writeThrough(model, 'heads', [{ layer, rows }], signal);
  const written = outputs[0] as Float32Array;
  const projection = written.subarray(0, headSize * hidden);
  return { tokens: written.slice(headSize * hidden), ...singularDirections(projection, headSize, hidden), isLinear };
}

/** Right singular vectors and singular values of a matrix [rows, width], rows ≤ width, by the eigenvectors of its Gram matrix. */
export function singularDirections(
  matrix: Float32Array,
  rows: number,
  width: number,
): { readonly directions: Float32Array; readonly strengths: Float64Array } {
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += (matrix[i * width + d] as number) * (matrix[j * width + d] as number);
      gram[i * rows + j] = sum;
      gram[j * rows + i] = sum;
    }
  }
  const { values, vectors } = symmetricEigen(gram, rows);
  const strengths = values.map((value) => Math.sqrt(Math.max(0, value)));
  const directions = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const strength = strengths[i] as number;
    if (strength <= 1e-6 * (strengths[0] as number)) continue;
    for (let j = 0; j < rows; j++) {
      const share = (vectors[i * rows + j] as number) / strength;
      for (let d = 0; d < width; d++) {
        directions[i * width + d] = (directions[i * width + d] as number) + share * (matrix[j * width + d] as number);
      }
    }
  }
  return { directions, strengths };
}
