/** What a gradient answers at the edges of a request, the same on ONNX Runtime and on llama.cpp with the same weights: numbers, shapes, order, or the error. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Tensor } from '../../../src/model/model.ts';
import { openOnnxModel } from '../../../src/onnx/openOnnxModel.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { modelFile } from '../fixture.ts';
import { writeLlamaTwin } from '../ggufTwin.ts';
import { edgePaths, edgeRequests } from './edgeRequests.ts';

interface Answer {
  readonly values: readonly number[];
  readonly tensors: readonly (readonly [string, Tensor])[];
}

const open = { threads: 1, contextLength: 0 };
const twin = writeLlamaTwin();
let llama: Model;
beforeAll(async () => {
  llama = await openLlamaModel(twin.file, open);
});
afterAll(async () => {
  await llama.dispose();
  twin.remove();
});

/** Numbers within rounding, everything else alike. */
function expectAlike(found: Answer | string, expected: Answer | string): void {
  if (typeof found === 'string' || typeof expected === 'string') {
    expect(found).toEqual(expected);
    return;
  }
  expect(found.tensors.map(([name, { shape }]) => [name, ...shape])).toEqual(
    expected.tensors.map(([name, { shape }]) => [name, ...shape]),
  );
  expectClose(found.values, expected.values, 'the value');
  for (const [index, [name, { data }]] of found.tensors.entries()) expectClose(data, expected.tensors[index]![1].data, name);
}

/** Within 1e-4 of the largest number; infinite ones stand at the same places. */
function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, name: string): void {
  expect(found.length, name).toBe(expected.length);
  let largest = 1e-6;
  for (let index = 0; index < expected.length; index++) {
    if (Number.isFinite(expected[index])) largest = Math.max(largest, Math.abs(expected[index]!));
  }
  for (let index = 0; index < expected.length; index++) {
    const [one, other] = [found[index]!, expected[index]!];
    if (one !== other && !(Math.abs(one - other) <= 1e-4 * largest)) expect(one, `${name} at ${index}`).toBe(other);
  }
}

async function answerOf(ask: () => Promise<Answer>): Promise<Answer | string> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof LoupeError) return error.code;
    throw error;
  }
}

async function gradient(model: Model, name: string): Promise<Answer> {
  const { targets, captured } = await model.gradient(edgeRequests[name]!);
  return {
    values: targets.flatMap(({ value, referenceValue }) => (referenceValue === undefined ? [value] : [value, referenceValue])),
    tensors: [...targets.flatMap(({ gradients }) => [...gradients]), ...captured],
  };
}

async function alongPath(model: Model, name: string): Promise<Answer> {
  const { values, gradients } = await model.gradientAlong(edgePaths[name]!);
  return { values: [...values], tensors: [...gradients] };
}

describe.each(['llama_optimum_kv', 'llama_genai_fp32'])('%s', (file) => {
  let onnx: Model;
  beforeAll(async () => {
    onnx = await openOnnxModel(modelFile(file), open);
  });
  afterAll(async () => {
    await onnx.dispose();
  });

  test.each(Object.keys(edgeRequests))('%s', async (name) => {
    expectAlike(await answerOf(() => gradient(onnx, name)), await answerOf(() => gradient(llama, name)));
  });

  test.each(Object.keys(edgePaths))('%s', async (name) => {
    expectAlike(await answerOf(() => alongPath(onnx, name)), await answerOf(() => alongPath(llama, name)));
  });
});
