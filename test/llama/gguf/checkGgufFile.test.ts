import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkGgufFile } from '../../../src/llama/gguf/checkGgufFile.ts';
import { metadataArray, metadataBoolean, metadataInteger, metadataString } from '../../../src/llama/gguf/ggufHeader.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { writeNanModel } from './nanModel.ts';
import { writeGguf } from './writeGguf.ts';
import type { TestEntry } from './writeGguf.ts';

const golden = join(import.meta.dirname, '../../fixtures/golden');
const bundled = join(import.meta.dirname, '../../../models/SmolLM2-135M-Instruct.Q4_1.gguf');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loupe-gguf-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function failure(file: string): Promise<LoupeError> {
  try {
    await checkGgufFile(file);
  } catch (error) {
    if (error instanceof LoupeError) return error;
    throw error;
  }
  throw new Error(`${file} was accepted`);
}

async function saved(bytes: Buffer, name = 'model.gguf'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

const architecture: TestEntry = ['general.architecture', 'string', 'llama'];

/** A header of raw parts, for files the writer refuses to write. */
function raw(...parts: readonly (string | number | bigint)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const bytes = Buffer.alloc(typeof part === 'number' ? 4 : 8);
      if (typeof part === 'number') bytes.writeUInt32LE(part);
      else bytes.writeBigUInt64LE(part);
      return bytes;
    }),
  );
}

const key = (name: string) => [BigInt(name.length), name] as const;
const named = [...key('general.architecture'), 8, ...key('llama')] as const;

describe('what a header says', () => {
  test('bundled model', async () => {
    const header = await checkGgufFile(bundled);
    expect(header.version).toBe(3);
    expect(metadataString(header, 'general.architecture')).toBe('llama');
    expect(metadataInteger(header, 'llama.block_count')).toBe(30);
    expect(metadataBoolean(header, 'tokenizer.ggml.add_bos_token')).toBe(false);
    expect(metadataArray(header, 'tokenizer.ggml.tokens')).toEqual({ elementType: 'string', length: 49_152 });
    expect(metadataString(header, 'tokenizer.chat_template')).toContain('<|im_start|>');
    expect(header.tensors).toHaveLength(272);
    const last = header.tensors.at(-1);
    expect((last?.offset ?? 0) + (last?.bytes ?? 0)).toBe(header.fileBytes);
  });

  test('every scalar type and a short array come back as written', async () => {
    const metadata: TestEntry[] = [
      architecture,
      ['a.u8', 'u8', 255],
      ['a.i8', 'i8', -128],
      ['a.u16', 'u16', 65_535],
      ['a.i16', 'i16', -2],
      ['a.u32', 'u32', 4_294_967_295],
      ['a.i32', 'i32', -3],
      ['a.f32', 'f32', 0.5],
      ['a.f64', 'f64', 0.1],
      ['a.bool', 'bool', true],
      ['a.string', 'string', 'naïve 你好'],
      ['a.u64', 'u64', 2n ** 63n],
      ['a.i64', 'i64', -5n],
      ['a.array', 'array', 'i32', [1, -2, 3]],
    ];
    const header = await checkGgufFile(await saved(writeGguf({ metadata })));
    for (const entry of metadata) {
      const expected =
        entry[1] === 'array'
          ? { elementType: entry[2], length: entry[3].length, values: entry[3] }
          : entry[0] === 'a.i64'
            ? -5
            : entry[2];
      expect(header.metadata.get(entry[0])).toEqual({ type: entry[1], value: expected });
    }
  });

  test.each(['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'])('%s', async (name) => {
    const header = await checkGgufFile(join(golden, name, 'model.gguf'));
    expect(header.tensors.length).toBeGreaterThan(20);
    expect(header.tensors.every((tensor) => tensor.type === 'F32')).toBe(true);
  });
});

describe('files that are refused', () => {
  test('missing, a folder, empty', async () => {
    await mkdir(join(folder, 'sub'));
    expect((await failure(join(folder, 'missing.gguf'))).code).toBe('E_MODEL_NOT_FOUND');
    expect((await failure(join(folder, 'sub'))).code).toBe('E_MODEL_IS_DIRECTORY');
    expect((await failure(await saved(Buffer.alloc(0)))).code).toBe('E_MODEL_EMPTY');
  });

  // The superuser reads everything; Windows has no such permission bits.
  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('unreadable', async () => {
    const file = await saved(writeGguf({ metadata: [architecture] }), 'secret.gguf');
    await chmod(file, 0);
    expect((await failure(file)).code).toBe('E_MODEL_UNREADABLE');
  });

  test.skipIf(process.platform === 'win32')('a device', async () => {
    expect((await failure('/dev/null')).code).toBe('E_MODEL_UNREADABLE');
  });

  const table: readonly (readonly [string, Buffer, string])[] = [
    ['another format', Buffer.from('PK\u0003\u0004 and more'), 'E_MODEL_MAGIC'],
    ['one byte', Buffer.from('x'), 'E_MODEL_MAGIC'],
    ['only the magic', Buffer.from('GGUF'), 'E_MODEL_TRUNCATED'],
    ['version 1', raw('GGUF', 1, 0n, 0n), 'E_MODEL_CORRUPT'],
    ['big-endian', raw('GGUF', 0x0300_0000, 0n, 0n), 'E_MODEL_CORRUPT'],
    ['huge tensor count', raw('GGUF', 3, 2n ** 63n, 0n), 'E_MODEL_CORRUPT'],
    ['huge entry count', raw('GGUF', 3, 0n, 2n ** 40n), 'E_MODEL_CORRUPT'],
    ['huge key length', raw('GGUF', 3, 0n, 1n, 2n ** 62n), 'E_MODEL_CORRUPT'],
    ['key past the end', raw('GGUF', 3, 0n, 1n, 600n, 'short'), 'E_MODEL_TRUNCATED'],
    ['unknown value type', raw('GGUF', 3, 0n, 1n, ...key('a'), 13), 'E_MODEL_CORRUPT'],
    ['huge string', raw('GGUF', 3, 0n, 1n, ...key('a'), 8, 2n ** 60n), 'E_MODEL_CORRUPT'],
    ['array of arrays', raw('GGUF', 3, 0n, 1n, ...key('a'), 9, 9, 1n), 'E_MODEL_CORRUPT'],
    ['array beyond any size', raw('GGUF', 3, 0n, 1n, ...key('a'), 9, 8, 2n ** 61n), 'E_MODEL_CORRUPT'],
    ['array larger than the file', raw('GGUF', 3, 0n, 1n, ...key('a'), 9, 4, 2n ** 30n), 'E_MODEL_TRUNCATED'],
    ['the same key twice', writeGguf({ metadata: [architecture, architecture] }), 'E_MODEL_CORRUPT'],
    ['no architecture', writeGguf({ metadata: [] }), 'E_MODEL_CORRUPT'],
    ['alignment zero', writeGguf({ metadata: [architecture, ['general.alignment', 'u32', 0]] }), 'E_MODEL_CORRUPT'],
    ['five dimensions', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 5), 'E_MODEL_CORRUPT'],
    ['an empty axis', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 0n, 0, 0n), 'E_MODEL_CORRUPT'],
    [
      'overflowing axes',
      raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 3, 2n ** 40n, 2n ** 40n, 2n ** 40n, 0, 0n),
      'E_MODEL_CORRUPT',
    ],
    ['unknown tensor type', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 32n, 99, 0n), 'E_MODEL_CORRUPT'],
    ['removed tensor type', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 32n, 4, 0n), 'E_MODEL_CORRUPT'],
    ['broken blocks', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 33n, 2, 0n), 'E_MODEL_CORRUPT'],
    ['an offset elsewhere', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 32n, 0, 4_096n), 'E_MODEL_CORRUPT'],
    ['a weight past the end', raw('GGUF', 3, 1n, 1n, ...named, ...key('t'), 1, 2n ** 45n, 0, 0n), 'E_MODEL_TRUNCATED'],
    ['no blocks', writeGguf({ metadata: [architecture, ['llama.block_count', 'u32', 0]] }), 'E_MODEL_CORRUPT'],
    [
      'a negative epsilon',
      writeGguf({ metadata: [architecture, ['llama.attention.layer_norm_rms_epsilon', 'f32', -1]] }),
      'E_MODEL_CORRUPT',
    ],
    [
      'an epsilon that is no number',
      writeGguf({ metadata: [architecture, ['llama.attention.layer_norm_epsilon', 'f32', Number.NaN]] }),
      'E_MODEL_CORRUPT',
    ],
    [
      'more layers than llama.cpp has room for',
      writeGguf({ metadata: [architecture, ['llama.block_count', 'u32', 513]] }),
      'E_MODEL_CORRUPT',
    ],
    ['absurd width', writeGguf({ metadata: [architecture, ['llama.embedding_length', 'u32', 2 ** 31]] }), 'E_MODEL_CORRUPT'],
    ['a size that is text', writeGguf({ metadata: [architecture, ['llama.block_count', 'string', 'two']] }), 'E_MODEL_CORRUPT'],
    [
      'fewer scores than tokens',
      writeGguf({
        metadata: [
          architecture,
          ['tokenizer.ggml.tokens', 'array', 'string', ['a', 'b', 'c']],
          ['tokenizer.ggml.scores', 'array', 'f32', [0, 0]],
        ],
      }),
      'E_MODEL_CORRUPT',
    ],
    [
      'tokens that are numbers',
      writeGguf({ metadata: [architecture, ['tokenizer.ggml.tokens', 'array', 'i32', [1]]] }),
      'E_MODEL_CORRUPT',
    ],
  ];
  test.each(table)('%s', async (_name, bytes, code) => {
    const error = await failure(await saved(bytes));
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(600);
  });

  test('truncated weights say how many bytes are missing', async () => {
    const bytes = await readFile(join(golden, 'tiny_llama/model.gguf'));
    const error = await failure(await saved(bytes.subarray(0, bytes.length - 100)));
    expect(error.code).toBe('E_MODEL_TRUNCATED');
    expect(error.parts.details).toMatchObject({ neededBytes: bytes.length, fileBytes: bytes.length - 100 });
  });
});

describe('split files', () => {
  const part = (number: number, count: number) =>
    writeGguf({ metadata: [architecture, ['split.no', 'u16', number], ['split.count', 'u16', count]] });

  test('the first part with all others is accepted', async () => {
    const first = await saved(part(0, 2), 'whole-00001-of-00002.gguf');
    await saved(part(1, 2), 'whole-00002-of-00002.gguf');
    expect(metadataInteger(await checkGgufFile(first), 'split.count')).toBe(2);
  });

  test.each([
    ['a later part', 1, 'later-00002-of-00002.gguf', 'part 2 of 2'],
    ['a missing part', 0, 'missing-00001-of-00002.gguf', 'missing-00002-of-00002.gguf'],
    ['a renamed part', 0, 'renamed.gguf', '-00001-of-00002.gguf'],
  ])('%s', async (_name, number, name, reason) => {
    const error = await failure(await saved(part(number, 2), name));
    expect(error.code).toBe('E_MODEL_SPLIT');
    expect(error.parts.why).toContain(reason);
  });

  test('a broken second part', async () => {
    const first = await saved(part(0, 2), 'broken-00001-of-00002.gguf');
    await saved(Buffer.from('GGUF'), 'broken-00002-of-00002.gguf');
    expect((await failure(first)).code).toBe('E_MODEL_TRUNCATED');
  });
});

describe('damage', () => {
  const headerBytes = 8_000;

  /** Accepted, or refused with a code of ours, and without taking memory for what the file claims. */
  async function survives(bytes: Buffer): Promise<void> {
    const file = await saved(bytes, 'damaged.gguf');
    const before = process.memoryUsage();
    try {
      await checkGgufFile(file);
    } catch (error) {
      expect(error).toBeInstanceOf(LoupeError);
      expect((error as LoupeError).code).toMatch(/^E_MODEL_/);
    }
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024);
  }

  test.each(['tiny_llama', 'tiny_qwen3'])('truncations and flipped bytes of %s', async (name) => {
    const original = await readFile(join(golden, name, 'model.gguf'));
    await fc.assert(
      fc.asyncProperty(fc.nat(headerBytes), async (length) => {
        await survives(original.subarray(0, length));
      }),
      { numRuns: 100, seed: 1 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(headerBytes), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 }),
        async (flips) => {
          const bytes = Buffer.from(original);
          for (const [position, mask] of flips) bytes.writeUInt8(bytes.readUInt8(position) ^ mask, position);
          await survives(bytes);
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });
});

test('a NaN model is still a sound file', async () => {
  const file = await writeNanModel(folder);
  const header = await checkGgufFile(file);
  const tensor = header.tensors.find(({ name }) => name === 'blk.1.attn_norm.weight');
  expect((await readFile(file)).readFloatLE(tensor?.offset ?? 0)).toBeNaN();
});
