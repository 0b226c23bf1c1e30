/** Reads reference values: little-endian F32 arrays and JSON under test/fixtures/golden. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = 'test/fixtures/golden';

export function goldenFile(...parts: string[]): string {
  return path.join(root, ...parts);
}

export function goldenArray(...parts: string[]): Float32Array {
  const bytes = readFileSync(goldenFile(...parts));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export interface GoldenCase {
  readonly ids: readonly number[];
  readonly target_ids: readonly number[];
  readonly contrast_id: number;
}

export function goldenCase(name: string): GoldenCase {
  return JSON.parse(readFileSync(goldenFile(name, 'meta.json'), 'utf8')) as GoldenCase;
}

export function maximumDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let largest = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs((a[index] as number) - (b[index] as number));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** Largest |a − b| divided by the largest |b|. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let scale = 0;
  for (let index = 0; index < b.length; index++) scale = Math.max(scale, Math.abs(b[index] as number));
  return maximumDifference(a, b) / scale;
}

export const bundledModel = 'models/SmolLM2-135M-Instruct.Q4_1.gguf';

export function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** KL(softmax(expected) || softmax(found)), nats. */
export function logSoftmaxDivergence(expected: Float32Array, found: Float32Array): number {
  const logProbabilities = (row: Float32Array) => {
    const maximum = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, value) => total + Math.exp(value - maximum), 0);
    return Float64Array.from(row, (value) => value - maximum - Math.log(sum));
  };
  const p = logProbabilities(expected);
  const q = logProbabilities(found);
  return p.reduce((total, value, id) => total + Math.exp(value) * (value - (q[id] as number)), 0);
}
