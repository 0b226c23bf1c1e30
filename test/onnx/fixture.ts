/** Reads the ONNX fixtures: one folder a dialect, each with the values PyTorch computed (test/fixtures/onnx/README.md). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';

const onnxFixtures = path.join(import.meta.dirname, '../fixtures/onnx');

interface Manifest {
  readonly items: readonly {
    readonly name: string;
    readonly tol: number;
    readonly tol_exact_mode?: number;
  }[];
}
const manifest = JSON.parse(readFileSync(path.join(onnxFixtures, 'manifest.json'), 'utf8')) as Manifest;

/** Names of all dialects, and how far (relative to the largest value) each may be from PyTorch. */
export const dialects = manifest.items.map(({ name, tol, tol_exact_mode }) => ({
  name,
  tolerance: tol,
  exact: tol_exact_mode ?? tol,
}));

export function modelFile(name: string): string {
  return path.join(onnxFixtures, name, 'model.onnx');
}

export interface OnnxGolden {
  readonly kind: 'lm' | 'cls';
  readonly layers: number;
  readonly ids: number[];
  readonly targetToken: number;
  /** logits [1, tokens, vocabulary] or [1, classes]; h0… hidden states; p0… attention; g_emb, gh0…, gp0… gradients. */
  tensor(name: string): { readonly data: Float32Array; readonly shape: readonly number[] };
  wholeNumbers(name: string): BigInt64Array;
}

export function onnxGolden(name: string): OnnxGolden {
  const folder = path.join(onnxFixtures, name);
  const index = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as {
    readonly kind: 'lm' | 'cls';
    readonly n_layers: number;
    readonly target_token: number;
    readonly tensors: Readonly<Record<string, { readonly shape: number[]; readonly offset: number }>>;
  };
  const bytes = new Uint8Array(readFileSync(path.join(folder, 'golden.bin')));
  const entry = (tensor: string) => {
    const found = index.tensors[tensor];
    if (found === undefined) throw new Error(`${name} has no golden ${tensor}`);
    return { ...found, count: found.shape.reduce((product, size) => product * size, 1) };
  };
  const wholeNumbers = (tensor: string) => {
    const { offset, count } = entry(tensor);
    return new BigInt64Array(bytes.slice(offset, offset + 8 * count).buffer);
  };
  return {
    kind: index.kind,
    layers: index.n_layers,
    targetToken: index.target_token,
    ids: [...wholeNumbers('ids')].map(Number),
    tensor: (tensor) => {
      const { shape, offset, count } = entry(tensor);
      return { data: new Float32Array(bytes.buffer, offset, count), shape };
    },
    wholeNumbers,
  };
}

/** Largest difference, relative to the largest expected value. */
export function relativeError(actual: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let largest = 1e-30;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(Number(actual[i]) - Number(expected[i]));
    difference = Math.max(difference, Number.isNaN(distance) ? Infinity : distance);
    largest = Math.max(largest, Math.abs(Number(expected[i])));
  }
  return difference / largest;
}
