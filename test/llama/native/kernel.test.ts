/** The prebuilt kernel: its files are the ones that were built from these sources, and it computes what plain loops compute. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphBackend } from '../../../src/llama/gradient/execution/backend.ts';
import { operatorNumbers, type Shape } from '../../../src/llama/gradient/execution/emitter.ts';
import { kernelFault } from '../../../src/llama/gradient/execution/kernelSelfTest.ts';
import { type Kernel, type KernelVariant, loadKernel, loadKernelFrom } from '../../../src/llama/native/kernel.ts';
import { kernelFiles } from '../../../src/llama/native/kernelFiles.ts';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';
import { sourceDigest } from '../../../scripts/kernelSources.mjs';
import { damagedPrebuilt } from './damagedPrebuilt.ts';
import { at, type Operand, operandOf, runOperator } from './kernelRun.ts';
import { wrongKernel } from './wrongKernel.ts';

const prebuilt = path.resolve('native/prebuilt');
const targets = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64'];

describe('files', () => {
  const manifest = JSON.parse(readFileSync(path.join(prebuilt, 'manifest.json'), 'utf8')) as {
    source: string;
    libraries: Record<string, { file: string; sha256: string; bytes: number }>;
  };

  test('six libraries, each the one that is named', () => {
    expect(Object.keys(kernelFiles).sort()).toEqual(targets);
    for (const target of targets) {
      const bytes = readFileSync(path.join(prebuilt, kernelFiles[target]?.file ?? ''));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(kernelFiles[target]).toEqual({ file: manifest.libraries[target]?.file, sha256 });
      expect(manifest.libraries[target]).toMatchObject({ sha256, bytes: bytes.length });
      expect(bytes.length).toBeLessThan(80_000);
    }
  });

  test('they were built from these sources: after a change, npm run build:native', () => {
    expect(manifest.source).toBe(sourceDigest(path.resolve('native/source')));
  });

  test('none holds the path it was built in, imports a C library by name, or needs a later macOS than the editor', () => {
    for (const target of targets) {
      const bytes = readFileSync(path.join(prebuilt, kernelFiles[target]?.file ?? ''));
      const text = bytes.toString('latin1');
      // All matches, so that a failure shows them and not the file.
      expect(text.match(/prebuilt|[/\\](home|Users|tmp|root|work)[/\\]/gi), target).toBeNull();
      expect(text.match(/memset|memcpy|memmove|msvcrt|ucrt|kernel32|libc\.so/gi), target).toBeNull();
      if (target.startsWith('darwin')) {
        expect(text.includes('@rpath/loupe.dylib'), target).toBe(true);
        expect(leastMacos(bytes)).toBe('11.0');
      }
    }
  });

  test('another interface, and a file that is no library, are refused with a reason', () => {
    const target = `${process.platform}-${process.arch}`;
    const refusal = (reason: RegExp) => ({ kernel: null, reason: expect.stringMatching(reason) as string });
    expect(loadKernelFrom(prebuilt, undefined, { files: kernelFiles, abi: 2 })).toMatchObject(refusal(/interface 1, expected 2/));
    expect(loadKernelFrom(prebuilt, undefined, { files: {}, abi: 1 })).toMatchObject(refusal(/there is none for/));
    const sha256 = createHash('sha256')
      .update(readFileSync(path.join(prebuilt, 'manifest.json')))
      .digest('hex');
    const files = { [target]: { file: 'manifest.json', sha256 } };
    expect(loadKernelFrom(prebuilt, undefined, { files, abi: 1 })).toMatchObject(refusal(/./));
  });

  test('a damaged file, a missing one and a variant this processor lacks are refused with a reason', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
    try {
      expect(loadKernelFrom(folder)).toMatchObject({ kernel: null, reason: expect.stringMatching(/ENOENT/) as string });
      expect(loadKernelFrom(damagedPrebuilt(folder))).toMatchObject({
        kernel: null,
        reason: expect.stringMatching(/not the one/) as string,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const foreign: KernelVariant = process.arch === 'x64' ? 'neon' : 'avx2';
    expect(loadKernelFrom(prebuilt, foreign)).toMatchObject({
      kernel: null,
      reason: expect.stringMatching(/this processor/) as string,
    });
    expect(readdirSync(prebuilt).sort()).toEqual([...targets, 'manifest.json'].sort());
  });
});

const backends: GraphBackend[] = [];
beforeAll(async () => {
  const { functions } = await loadLlamaLibrary();
  backends.push(new GraphBackend(functions, 1), new GraphBackend(functions, 2));
});
afterAll(() => {
  for (const backend of backends) backend.free();
});

const variants = (process.arch === 'x64' ? (['avx2', 'avx512'] as const) : (['neon'] as const)).flatMap((variant) => {
  const { kernel } = loadKernelFrom(prebuilt, variant);
  return kernel === null ? [] : [[variant, kernel] as const];
});

test('this processor has a variant, or the reason says what it lacks', () => {
  const { kernel, reason } = loadKernel();
  expect(variants.map(([variant]) => variant)).toEqual(kernel === null ? [] : expect.arrayContaining([kernel.variant]));
  if (kernel === null) expect(reason).toMatch(/processor|none for/);
});

describe.each(variants)('%s', (_, kernel) => {
  test('passes its own check, which notices an operator that computes something else', () => {
    const [backend] = backends as [GraphBackend];
    const numbers = operatorNumbers(backend.functions);
    expect(kernelFault(backend, numbers, kernel)).toBeNull();
    // One that leaves its results as they are.
    const idle = Object.create(backend, { compute: { value: () => undefined } }) as GraphBackend;
    expect(kernelFault(idle, numbers, kernel)).toMatch(/differs/);
  });

  test.each([
    ['matmul', /product of mode 0 differs/],
    ['softmaxBack', /softmax differs/],
    ['swigluBack', /gated unit differs/],
  ] as const)('its own check notices one wrong number of %s', (operator, fault) => {
    const [backend] = backends as [GraphBackend];
    const wrong = wrongKernel(kernel, operator);
    try {
      expect(kernelFault(backend, operatorNumbers(backend.functions), wrong.kernel)).toMatch(fault);
    } finally {
      wrong.release();
    }
  });

  // m, n, k, matrices of a, heads that share one
  const sizes: readonly (readonly [number, number, number, number, number])[] = [
    [1, 1, 1, 1, 1],
    [7, 1, 5, 1, 1],
    [33, 2, 17, 1, 1],
    [64, 3, 64, 1, 1],
    [100, 4, 33, 1, 1],
    [100, 5, 33, 1, 1],
    [40, 7, 321, 1, 1],
    [31, 11, 8, 1, 1],
    [32, 12, 320, 1, 1],
    [65, 13, 7, 1, 1],
    [96, 50, 64, 1, 1],
    [130, 127, 40, 1, 1],
    [130, 128, 40, 1, 1],
    [130, 129, 41, 1, 1],
    [576, 20, 1536, 1, 1],
    [600, 9, 20, 1, 1],
    [48, 19, 24, 3, 3],
    [20, 30, 16, 2, 1],
    [4096, 1, 576, 1, 1],
    [20, 6, 0, 2, 2],
    [50, 3, 0, 1, 1],
  ];
  describe.each(sizes)('%i × %i × %i, %i matrices, %i heads each', (m, n, k, matrices, group) => {
    test.each([0, 1, 2])('mode %i', (mode) => {
      const heads = matrices * group;
      const a =
        mode === 0
          ? operandOf([k, m, matrices, 1], 1, 3)
          : operandOf([m, mode === 1 ? k : n, mode === 1 ? matrices : heads, 1], 1, 3);
      const b = operandOf([k, n, heads, 1], 2, 5);
      const shape: Shape = mode === 2 ? [m, k, matrices, 1] : [m, n, heads, 1];
      compareProducts(kernel, mode, 0, a, b, shape, group);
    });
  });

  test.each([0, 1, 2])('batches, with a matrix each and with one for all: mode %i', (mode) => {
    const [m, n, k, heads, batches] = [19, 14, 11, 4, 3];
    for (const [matrices, copies] of [
      [2, batches],
      [1, 1],
    ] as const) {
      const a = mode === 0 ? [k, m, matrices, copies] : mode === 1 ? [m, k, matrices, copies] : [m, n, heads, batches];
      const shape = mode === 2 ? [m, k, matrices, copies] : [m, n, heads, batches];
      const b = operandOf([k, n, heads, batches], 2, 5);
      compareProducts(kernel, mode, 0, operandOf(a as unknown as Shape, 1, 3), b, shape as unknown as Shape, heads / matrices);
    }
  });

  // Attention of T queries over padded keys: keys × queries.
  test.each([
    { mode: 0, causal: 1 },
    { mode: 0, causal: 2 },
    { mode: 1, causal: 1 },
    { mode: 1, causal: 2 },
    { mode: 2, causal: 3 },
    { mode: 2, causal: 4 },
  ])('causal: mode $mode, form $causal', ({ mode, causal }) => {
    for (const [tokens, keys, size] of [
      [5, 8, 16],
      [37, 64, 16],
      [150, 256, 64],
    ] as const) {
      if (mode === 0 && causal === 1) {
        // scores = keysᵀ queries; entries with key > query are not needed
        compareProducts(
          kernel,
          0,
          1,
          operandOf([size, keys, 1, 1], 3),
          operandOf([size, tokens, 3, 1], 4),
          [keys, tokens, 3, 1],
          3,
        );
      } else if (mode === 0) {
        // mixture = valuesᵀ probabilities; probabilities behind the query are 0
        compareProducts(
          kernel,
          0,
          2,
          operandOf([keys, size, 1, 1], 3),
          masked(operandOf([keys, tokens, 3, 1], 4)),
          [size, tokens, 3, 1],
          3,
        );
      } else if (mode === 1 && causal === 1) {
        compareProducts(
          kernel,
          1,
          1,
          operandOf([keys, size, 1, 1], 3),
          operandOf([size, tokens, 3, 1], 4),
          [keys, tokens, 3, 1],
          3,
        );
      } else if (mode === 1) {
        compareProducts(
          kernel,
          1,
          2,
          operandOf([size, keys, 1, 1], 3),
          masked(operandOf([keys, tokens, 3, 1], 4)),
          [size, tokens, 3, 1],
          3,
        );
      } else if (causal === 3) {
        compareProducts(
          kernel,
          2,
          3,
          operandOf([size, tokens, 3, 1], 3),
          masked(operandOf([keys, tokens, 3, 1], 4)),
          [size, keys, 1, 1],
          3,
        );
      } else {
        compareProducts(
          kernel,
          2,
          4,
          masked(operandOf([keys, tokens, 3, 1], 3)),
          operandOf([size, tokens, 3, 1], 4),
          [keys, size, 1, 1],
          3,
        );
      }
    }
  });

  test.each([0, 1])('derivative of the softmax, causal %i', (causal) => {
    for (const [keys, queries, heads] of [
      [1, 1, 1],
      [13, 5, 2],
      [256, 50, 3],
    ] as const) {
      const shape: Shape = [keys, queries, heads, 1];
      const y = causal === 1 ? masked(operandOf(shape, 5)) : operandOf(shape, 5);
      const g = operandOf(shape, 6);
      const found = both([y, g], shape, kernel, (emit, operands) =>
        emit.custom(shape, operands, kernel.softmaxBack, (words) => {
          words.setFloat32(0, 0.125, true);
          words.setInt32(4, causal, true);
        }),
      );
      forEach(shape, (index, key, query, head) => {
        let sum = 0;
        for (let other = 0; other < keys; other++) sum += at(y, other, query, head) * at(g, other, query, head);
        const expected = 0.125 * at(y, key, query, head) * (at(g, key, query, head) - sum);
        expect(Math.abs((found[index] as number) - expected)).toBeLessThan(2e-5);
      });
    }
  });

  test('derivative of the gated unit, extremes included', () => {
    const shape: Shape = [77, 4, 1, 1];
    const [x, y, g] = [operandOf(shape, 7, 2), operandOf(shape, 8), operandOf(shape, 9, 4)];
    [0, -0, 100, -100, 88, -88, 1e-40, -1e-40, 20, -20, 1e30, -1e30, 3e38, -3e38].forEach((value, index) => {
      x.data[index] = value;
    });
    const found = both([x, y, g], [77, 4, 2, 1], kernel, (emit, operands) =>
      emit.custom([77, 4, 2, 1], operands, kernel.swigluBack, () => undefined),
    );
    forEach(shape, (index, column, row) => {
      const [gate, value, upstream] = [at(x, column, row), at(y, column, row), at(g, column, row)];
      const sigmoid = 1 / (1 + Math.exp(-gate));
      const slope = sigmoid + gate * sigmoid * (1 - sigmoid);
      expect(Math.abs((found[index] as number) - upstream * value * slope)).toBeLessThan(1e-6 * Math.max(1, Math.abs(gate)));
      expect(Math.abs((found[index + 77 * 4] as number) - upstream * gate * sigmoid)).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(gate)),
      );
    });
  });

  test('a gate that is no number is not hidden', () => {
    const shape: Shape = [21, 1, 1, 1];
    const [x, ones] = [operandOf(shape, 7), operandOf(shape, 8)];
    for (const index of [3, 20]) x.data[index] = Number.NaN;
    const found = both([x, ones, ones], [21, 1, 2, 1], kernel, (emit, operands) =>
      emit.custom([21, 1, 2, 1], operands, kernel.swigluBack, () => undefined),
    );
    const places = [...found].flatMap((value, index) => (Number.isNaN(value) ? [index] : []));
    expect(places).toEqual([3, 20, 24, 41]);
  });

  test('its exponential is right to a unit in the last place', () => {
    const count = 65_536;
    const shape: Shape = [count, 1, 1, 1];
    const row = (value: (index: number) => number): Operand => ({
      shape,
      rowStride: count,
      data: Float32Array.from({ length: count }, (_, index) => value(index)),
    });
    const x = row((index) => -87 + (174 * index) / count);
    const ones = row(() => 1);
    const found = both([x, ones, ones], [count, 1, 2, 1], kernel, (emit, operands) =>
      emit.custom([count, 1, 2, 1], operands, kernel.swigluBack, () => undefined),
    );
    // silu(x) = x / (1 + e^−x): three roundings of 6e-8 beside the error of e^−x, which is all there is where x is far below 0.
    let largest = 0;
    x.data.forEach((value, index) => {
      const expected = value / (1 + Math.exp(-value));
      if (expected !== 0) largest = Math.max(largest, Math.abs((found[count + index] as number) / expected - 1));
    });
    expect(largest).toBeLessThan(1e-7 + 3 * 6e-8);
  });
});

/** With one thread and with two, which must give the same bits. */
function both(
  operands: readonly Operand[],
  shape: Shape,
  kernel: Kernel,
  emitOperator: Parameters<typeof runOperator>[4],
): Float32Array {
  const [one, two] = backends.map((backend) => runOperator(backend, operands, shape, kernel.scratchBytes, emitOperator));
  expect(two).toEqual(one);
  return one ?? new Float32Array();
}

function compareProducts(
  kernel: Kernel,
  mode: number,
  causal: number,
  a: Operand,
  b: Operand,
  shape: Shape,
  group: number,
): void {
  const found = both([a, b], shape, kernel, (emit, operands, scratch) =>
    emit.custom(shape, [...operands, scratch], kernel.matmul, (words) => {
      words.setInt32(0, mode, true);
      words.setInt32(4, causal, true);
    }),
  );
  const terms = mode === 0 ? a.shape[0] : mode === 1 ? b.shape[0] : b.shape[1];
  // In mode 2 a result gets the products of all heads and batches that share it.
  const heads = mode === 2 ? b.shape[2] / shape[2] : 1;
  const batches = mode === 2 ? b.shape[3] / shape[3] : 1;
  let largest = 0;
  forEach(shape, (index, i, j, matrix, batch) => {
    // Entries nobody needs: they are 0 or what they would be, tile by tile.
    if (causal === 1 && i > j) {
      if (!Number.isFinite(found[index])) largest = Number.NaN;
      return;
    }
    let sum = 0;
    let magnitude = 1e-3;
    for (let part = 0; part < heads * batches; part++) {
      const ofB = mode === 2 ? matrix * heads + (part % heads) : matrix;
      const batchOfB = mode === 2 ? batch * batches + Math.floor(part / heads) : batch;
      const ofA = mode === 2 ? ofB : Math.floor(matrix / group);
      const batchOfA = mode === 2 ? batchOfB : Math.floor((batch * a.shape[3]) / b.shape[3]);
      for (let l = 0; l < terms; l++) {
        const left = mode === 0 ? at(a, l, i, ofA, batchOfA) : at(a, i, l, ofA, batchOfA);
        const right = mode === 2 ? at(b, j, l, ofB, batchOfB) : at(b, l, j, ofB, batchOfB);
        sum += left * right;
        magnitude += Math.abs(left * right);
      }
    }
    const difference = Math.abs((found[index] as number) - sum) / magnitude;
    if (!(difference <= largest)) largest = difference;
  });
  expect(largest).toBeLessThan(1e-6);
}

/** 0 where the key (fastest axis) lies behind the query (next axis). */
function masked(operand: Operand): Operand {
  const { shape, rowStride } = operand;
  const data = operand.data.map((value, index) => {
    const query = Math.floor(index / rowStride) % shape[1];
    return index % rowStride > query ? 0 : value;
  });
  return { ...operand, data };
}

type Visit = (index: number, x: number, y: number, z: number, w: number) => void;

function forEach([width, rows, matrices, batches]: Shape, visit: Visit): void {
  let index = 0;
  for (let w = 0; w < batches; w++) {
    for (let z = 0; z < matrices; z++) {
      for (let y = 0; y < rows; y++) for (let x = 0; x < width; x++) visit(index++, x, y, z, w);
    }
  }
}

/** `minos` of the load command LC_BUILD_VERSION in a Mach-O file of 64 bits. */
function leastMacos(bytes: Buffer): string | null {
  const buildVersion = 0x32;
  const commands = bytes.readUInt32LE(16);
  for (let command = 0, offset = 32; command < commands; command++, offset += bytes.readUInt32LE(offset + 4)) {
    const version = bytes.readUInt32LE(offset + 12);
    if (bytes.readUInt32LE(offset) === buildVersion) return `${version >>> 16}.${(version >>> 8) & 0xff}`;
  }
  return null;
}
