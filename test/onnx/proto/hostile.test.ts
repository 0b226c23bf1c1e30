/** Damaged and hostile files: each is refused with a code, quickly, and no message shows what is outside the model's folder. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGraph } from '../../../src/onnx/proto/readGraph.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { modelFile } from '../fixture.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'loupe-onnx-'));
  mkdirSync(path.join(folder, 'model'));
  writeFileSync(path.join(folder, 'secret.bin'), 'SECRET'.repeat(1000));
  writeFileSync(path.join(folder, 'model/weights.bin'), Buffer.alloc(64));
  symlinkSync('../secret.bin', path.join(folder, 'model/link.bin'));
  symlinkSync('..', path.join(folder, 'model/up'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Write = (writer: BinaryWriter) => void;
const part =
  (field: number, write: Write): Write =>
  (writer) => {
    writer.tag(field, 2).fork();
    write(writer);
    writer.join();
  };
const all =
  (...writes: readonly Write[]): Write =>
  (writer) => {
    for (const write of writes) write(writer);
  };
const string =
  (field: number, value: string): Write =>
  (writer) =>
    void writer.tag(field, 2).string(value);
const number =
  (field: number, value: number): Write =>
  (writer) =>
    void writer.tag(field, 0).int64(value);
const raw =
  (field: number, value: Uint8Array): Write =>
  (writer) =>
    void writer.tag(field, 2).bytes(value);
const node = (op: string, inputs: readonly string[], outputs: readonly string[], ...rest: readonly Write[]) =>
  part(1, all(...inputs.map((name) => string(1, name)), ...outputs.map((name) => string(2, name)), string(4, op), ...rest));
const input = (name: string) => part(11, string(1, name));
const output = (name: string) => part(12, string(1, name));
const tensor = (name: string, dims: readonly number[], type: number, ...rest: readonly Write[]) =>
  part(5, all(...dims.map((dim) => number(1, dim)), number(2, type), string(8, name), ...rest));
const external = (entries: Readonly<Record<string, string>>) =>
  all(...Object.entries(entries).map(([key, value]) => part(13, all(string(1, key), string(2, value)))), number(14, 1));
const model = (...graph: readonly Write[]): Write => all(number(1, 8), part(8, number(2, 18)), part(7, all(...graph)));

function bytesOf(write: Write): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

function read(bytes: Uint8Array) {
  const file = path.join(folder, 'model/model.onnx');
  writeFileSync(file, bytes);
  return readGraph(file);
}

/** The code of the refusal, and its reason. */
function refusal(bytes: Uint8Array): string {
  try {
    read(bytes);
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
    expect(error.message).not.toContain('SECRET');
    // Absolute paths of this machine belong into no message about what a file holds.
    expect(`${error.parts.why} ${error.parts.action}`).not.toContain(folder);
    return `${error.code} ${error.parts.why}`;
  }
  return 'read';
}

const attribute = (...writes: readonly Write[]) => part(5, all(...writes));
const branch = (...graph: readonly Write[]) => attribute(string(1, 'then_branch'), number(20, 5), part(6, all(...graph)));
function nested(depth: number): Write {
  return depth === 0 ? node('Neg', ['x'], ['y']) : node('If', ['x'], ['y'], branch(nested(depth - 1)));
}

const cases: readonly (readonly [what: string, bytes: Write | Uint8Array, expected: RegExp])[] = [
  ['a whole little graph', model(input('x'), node('Neg', ['x'], ['y']), output('y')), /^read$/],
  ['nothing but zeros', new Uint8Array(64), /^E_ONNX_CORRUPT a number or a field number/],
  ['text', new TextEncoder().encode('{"model": "not an ONNX file at all"}'), /^E_ONNX_CORRUPT/],
  ['no graph', number(1, 8), /^E_ONNX_CORRUPT it holds no graph/],
  ['two graphs', all(model(output('x'), input('x')), part(7, input('x'))), /^E_ONNX_CORRUPT it holds two graphs/],
  ['a truncated varint', Uint8Array.of(0x08, 0xff, 0xff), /^E_ONNX_CORRUPT a number or a field number/],
  ['a varint without end', Uint8Array.from([0x08, ...new Array<number>(30).fill(0xff)]), /^E_ONNX_CORRUPT a number/],
  ['a group (wire type 3)', Uint8Array.of(0x0b, 0x00), /^E_ONNX_CORRUPT field 1 .* wire type 3/],
  ['an end of group (wire type 4)', Uint8Array.of(0x0c, 0x00), /^E_ONNX_CORRUPT field 1 .* wire type 4/],
  ['a length past the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0x0f), /^E_ONNX_CORRUPT field 7 .* past the end/],
  [
    'an input nothing makes',
    model(node('Neg', ['x'], ['y']), output('y')),
    /^E_ONNX_CORRUPT the node Neg .* reads "x", which nothing makes/,
  ],
  ['an output nothing makes', model(input('x'), output('y')), /^E_ONNX_CORRUPT its output "y" is made by no node/],
  [
    'a cycle',
    model(input('x'), node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']), output('b')),
    /^E_ONNX_CORRUPT its nodes form a cycle/,
  ],
  ['a node that reads itself', model(node('Neg', ['a'], ['a']), output('a')), /^E_ONNX_CORRUPT its nodes form a cycle/],
  [
    'two nodes with one output',
    model(input('x'), node('Neg', ['x'], ['y']), node('Abs', ['x'], ['y'])),
    /^E_ONNX_CORRUPT two nodes, inputs or constants have the name "y"/,
  ],
  [
    'two constants of one name',
    model(tensor('w', [], 6, raw(9, new Uint8Array(4))), tensor('w', [], 6, raw(9, new Uint8Array(4)))),
    /^E_ONNX_CORRUPT two constants/,
  ],
  ['a node without operator', model(part(1, string(1, 'x'))), /^E_ONNX_CORRUPT a node .* has no operator/],
  [
    'a name that is not UTF-8',
    model(part(11, raw(1, Uint8Array.of(0x61, 0xff, 0xfe)))),
    /^E_ONNX_CORRUPT a name .* is not UTF-8/,
  ],
  ['a name of 100 kB', model(input('x'.repeat(100_000))), /^E_ONNX_CORRUPT a name .* has 100000 bytes/],
  ['graphs nested 40 deep', model(input('x'), nested(40)), /^E_ONNX_CORRUPT it nests graphs/],
  ['graphs nested 3 deep', model(input('x'), nested(3)), /^read$/],
  [
    'a sub-graph reading what nothing makes',
    model(input('c'), node('If', ['c'], ['y'], branch(node('Neg', ['gone'], ['z']), output('z')))),
    /reads "gone"/,
  ],
  [
    'a tensor of another size than its shape',
    model(tensor('w', [2, 3], 1, raw(9, new Uint8Array(20)))),
    /^E_ONNX_CORRUPT the tensor "w" holds 20 bytes and its shape asks for 24/,
  ],
  [
    'a negative dimension',
    model(tensor('w', [-1], 1, raw(9, new Uint8Array(4)))),
    /^E_ONNX_CORRUPT the tensor "w" has an impossible type/,
  ],
  [
    'dimensions whose product overflows',
    model(tensor('w', [2 ** 40, 2 ** 40], 1)),
    /^E_ONNX_CORRUPT the tensor "w" has an impossible type/,
  ],
  ['65 dimensions', model(tensor('w', new Array<number>(65).fill(1), 1)), /^E_ONNX_CORRUPT a tensor has more than 64 dimensions/],
  ['an unknown element type', model(tensor('w', [1], 99)), /^E_ONNX_CORRUPT the tensor "w" has an impossible type \(99\)/],
  ['a tensor of texts', model(tensor('w', [1], 8, string(6, 'label'))), /^E_ONNX_UNSUPPORTED/],
  ['floats in a tensor of integers', model(tensor('w', [2], 7, raw(4, new Uint8Array(16)))), /^E_ONNX_CORRUPT float_data/],
  [
    'an external file that is absolute',
    model(tensor('w', [16], 1, external({ location: '/etc/hostname' }))),
    /^E_ONNX_EXTERNAL_DATA it is an absolute path/,
  ],
  [
    'an external file on a drive',
    model(tensor('w', [16], 1, external({ location: 'C:\\secret' }))),
    /^E_ONNX_EXTERNAL_DATA it is an absolute path/,
  ],
  [
    'an external file above the folder',
    model(tensor('w', [16], 1, external({ location: '../secret.bin' }))),
    /^E_ONNX_EXTERNAL_DATA it leads out/,
  ],
  [
    'an external file above a sub-folder',
    model(tensor('w', [16], 1, external({ location: 'a\\..\\..\\secret.bin' }))),
    /^E_ONNX_EXTERNAL_DATA it leads out/,
  ],
  [
    'an external file behind a link',
    model(tensor('w', [16], 1, external({ location: 'link.bin' }))),
    /^E_ONNX_EXTERNAL_DATA it is a link that leads out/,
  ],
  ['an external file that is a folder', model(tensor('w', [16], 1, external({ location: '.' }))), /^E_ONNX_EXTERNAL_DATA/],
  [
    'an external file that is missing',
    model(tensor('w', [16], 1, external({ location: 'gone.bin' }))),
    /^E_ONNX_EXTERNAL_DATA there is no such file/,
  ],
  ['external data without a file', model(tensor('w', [16], 1, external({}))), /^E_ONNX_EXTERNAL_DATA it is no name/],
  ['external data', model(tensor('w', [16], 1, external({ location: 'weights.bin', offset: '0', length: '64' }))), /^read$/],
  [
    'a range past the end of its file',
    model(tensor('w', [16], 1, external({ location: 'weights.bin', offset: '4' }))),
    /^E_ONNX_EXTERNAL_DATA the tensor "w" reaches to byte 68 of a file of 64 bytes/,
  ],
  [
    'a negative offset',
    model(tensor('w', [16], 1, external({ location: 'weights.bin', offset: '-4' }))),
    /^E_ONNX_EXTERNAL_DATA the tensor "w" has an offset/,
  ],
  [
    'a huge offset',
    model(tensor('w', [16], 1, external({ location: 'weights.bin', offset: '99999999999999999999' }))),
    /^E_ONNX_EXTERNAL_DATA/,
  ],
  ...['9007199254740993', '18446744073709551615', '-9223372036854775808', '9007199254740991', '1e30', '0x10', '64 ', ''].map(
    (offset): (typeof cases)[number] => [
      `an offset of ${JSON.stringify(offset)}`,
      model(tensor('w', [16], 1, external({ location: 'weights.bin', offset }))),
      offset === '' ? /^(E_ONNX_EXTERNAL_DATA|read)/ : /^E_ONNX_EXTERNAL_DATA/,
    ],
  ),
  ...['9007199254740993', '18446744073709551615', '-1', 'NaN'].map((length): (typeof cases)[number] => [
    `an external length of ${length}`,
    model(tensor('w', [16], 1, external({ location: 'weights.bin', length }))),
    /^E_ONNX_EXTERNAL_DATA/,
  ]),
  [
    'an external file in a linked folder',
    model(tensor('w', [16], 1, external({ location: 'up/secret.bin' }))),
    /^E_ONNX_EXTERNAL_DATA it is a link that leads out/,
  ],
  [
    'an external name with a zero in it',
    model(tensor('w', [16], 1, external({ location: 'weights.bin\0.txt' }))),
    /^E_ONNX_EXTERNAL_DATA/,
  ],
  [
    'an external file that is the model itself, past its end',
    model(tensor('w', [2 ** 30], 1, external({ location: 'model.onnx' }))),
    /^E_ONNX_EXTERNAL_DATA the tensor "w" reaches to byte/,
  ],
  [
    'a tensor of 2^62 numbers in no bytes',
    model(tensor('w', [2 ** 31, 2 ** 31], 1, raw(9, new Uint8Array(0)))),
    /^E_ONNX_CORRUPT the tensor "w" has an impossible type/,
  ],
  [
    'a cycle through a branch',
    model(
      input('c'),
      node('If', ['c'], ['y'], branch(node('Neg', ['z'], ['b']), output('b'))),
      node('Neg', ['y'], ['z']),
      output('z'),
    ),
    /^E_ONNX_CORRUPT its nodes form a cycle/,
  ],
  [
    'a cycle inside a branch',
    model(
      input('c'),
      node('If', ['c'], ['y'], branch(node('Neg', ['b'], ['a']), node('Neg', ['a'], ['b']), output('b'))),
      output('y'),
    ),
    /^E_ONNX_CORRUPT its nodes form a cycle/,
  ],
  [
    'a branch that gives what it does not make',
    model(input('c'), node('If', ['c'], ['y'], branch(output('gone'))), output('y')),
    /^E_ONNX_CORRUPT/,
  ],
  [
    'a length that does not fit the shape',
    model(tensor('w', [15], 1, external({ location: 'weights.bin', length: '64' }))),
    /^E_ONNX_EXTERNAL_DATA/,
  ],
];

test.each(cases)('%s', (_, bytes, expected) => {
  expect(refusal(bytes instanceof Uint8Array ? bytes : bytesOf(bytes))).toMatch(expected);
});

test('many small sub-graphs among many nodes are checked in one pass', () => {
  const many = 20_000;
  const chain = Array.from({ length: many }, (_, i) => node('Neg', [i === 0 ? 'x' : `n${i - 1}`], [`n${i}`]));
  const inner = (i: number) => branch(node('Neg', [`n${i}`], [`inner${i}`]), output(`inner${i}`));
  const branches = Array.from({ length: many }, (_, i) => node('If', ['x'], [`y${i}`], inner(i)));
  const graph = read(bytesOf(model(input('x'), ...branches.reverse(), ...chain)));
  expect(graph.nodes.length).toBe(2 * many);
  expect(graph.nodes[0]?.op).toBe('Neg');
});

test('an absurd number of items is refused before it fills the memory', () => {
  const ints = new Uint8Array(24_000_000);
  const bytes = bytesOf(model(input('x'), node('Foo', ['x'], ['y'], attribute(string(1, 'axes'), number(20, 7), raw(8, ints)))));
  expect(refusal(bytes)).toMatch(/^E_ONNX_CORRUPT it holds more than/);
});

test.each([
  ['a path where nothing is', 'gone.onnx', 'E_MODEL_NOT_FOUND'],
  ['a folder', '.', 'E_MODEL_IS_DIRECTORY'],
  ['an empty file', 'empty.onnx', 'E_MODEL_EMPTY'],
])('%s', (_, name, code) => {
  writeFileSync(path.join(folder, 'empty.onnx'), '');
  expect(() => readGraph(path.join(folder, name))).toThrow(expect.objectContaining({ code }) as Error);
});

test('a model that is itself a link takes its data from where the link leads (the cache of the hub)', () => {
  const blobs = path.join(folder, 'blobs');
  const snapshot = path.join(folder, 'snapshot');
  mkdirSync(blobs);
  mkdirSync(snapshot);
  writeFileSync(path.join(blobs, 'aa'), bytesOf(model(tensor('w', [400], 1, external({ location: 'model.data' })), output('w'))));
  writeFileSync(path.join(blobs, 'bb'), Buffer.alloc(1600));
  symlinkSync('../blobs/aa', path.join(snapshot, 'model.onnx'));
  symlinkSync('../blobs/bb', path.join(snapshot, 'model.data'));
  const graph = readGraph(path.join(snapshot, 'model.onnx'));
  expect(graph.initializers.get('w')?.range).toEqual({ file: 'bb', offset: 0, length: 1600 });
  expect(path.basename(graph.folder)).toBe('blobs');
});

test('typed data of every kind becomes little-endian bytes', () => {
  const packed = (field: number, ...values: readonly number[]): Write =>
    part(field, (writer) => values.forEach((value) => writer.int64(value)));
  const graph = read(
    bytesOf(
      model(
        tensor('int64', [3], 7, packed(7, 1, -2, 3)),
        tensor('int64 one by one', [2], 7, number(7, 5), number(7, -6)),
        tensor('int32', [2], 6, packed(5, -1, 7)),
        tensor('bool', [3], 9, packed(5, 1, 0, 1)),
        tensor('float16', [2], 10, packed(5, 0x3c00, 0xbc00)),
        tensor('uint32', [1], 12, packed(11, 4_000_000_000)),
        tensor(
          'float32',
          [2],
          1,
          part(4, (writer) => void writer.float(1.5).float(-2)),
        ),
        tensor(
          'float64',
          [1],
          11,
          part(10, (writer) => void writer.double(0.1)),
        ),
        tensor(
          'big float32',
          [500],
          1,
          part(4, (writer) => Array.from({ length: 500 }, (_, i) => writer.float(i))),
        ),
        tensor('nothing', [0, 4], 1),
      ),
    ),
  );
  const bytes = (name: string) => graph.initializers.get(name)?.bytes?.slice().buffer as ArrayBuffer;
  expect([...new BigInt64Array(bytes('int64'))]).toEqual([1n, -2n, 3n]);
  expect([...new BigInt64Array(bytes('int64 one by one'))]).toEqual([5n, -6n]);
  expect([...new Int32Array(bytes('int32'))]).toEqual([-1, 7]);
  expect([...new Uint8Array(bytes('bool'))]).toEqual([1, 0, 1]);
  expect([...new Uint16Array(bytes('float16'))]).toEqual([0x3c00, 0xbc00]);
  expect([...new Uint32Array(bytes('uint32'))]).toEqual([4_000_000_000]);
  expect([...new Float32Array(bytes('float32'))]).toEqual([1.5, -2]);
  expect([...new Float64Array(bytes('float64'))]).toEqual([0.1]);
  expect(bytes('nothing').byteLength).toBe(0);
  const { range } = graph.initializers.get('big float32')!;
  const file = readFileSync(path.join(folder, 'model/model.onnx'));
  expect(file.readFloatLE(range!.offset + 4 * 7)).toBe(7);
});

describe('fuzzed files are read or refused, never more', () => {
  const names = ['llama_genai_int4', 'llama_genai_fp32'];
  beforeAll(() => {
    // Both name the same data file; the larger one serves them.
    copyFileSync(modelFile('llama_genai_fp32').replace('.onnx', '.onnx.data'), path.join(folder, 'model/model.onnx.data'));
  });

  test.each(names)('%s: bytes overwritten, cut out, doubled', (name) => {
    const original = readFileSync(modelFile(name));
    const place = fc.nat(original.length - 1);
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: place, value: fc.nat(255) }),
      fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ kind: fc.constant('double' as const), at: place, length: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ kind: fc.constant('end' as const), at: place }),
    );
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        let bytes: Uint8Array = original;
        for (const change of mutations) {
          const [before, after] = [bytes.slice(0, change.at), bytes.slice(change.at)];
          if (change.kind === 'set') bytes = Buffer.concat([before, Uint8Array.of(change.value), after.slice(1)]);
          else if (change.kind === 'cut') bytes = Buffer.concat([before, after.slice(change.length)]);
          else if (change.kind === 'double') bytes = Buffer.concat([before, after.slice(0, change.length), after]);
          else bytes = before;
        }
        expect(refusal(bytes.length === 0 ? Uint8Array.of(0) : bytes)).toMatch(
          /^(read$|E_ONNX_(CORRUPT|UNSUPPORTED|EXTERNAL_DATA) )/,
        );
      }),
      { numRuns: 250, seed: 6, endOnFailure: true },
    );
  });

  test('random bytes that begin like a model', () => {
    const head = bytesOf(model(input('x'), node('Neg', ['x'], ['y'])));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(head.length), (bytes, at) => {
        expect(refusal(Buffer.concat([head.slice(0, at), bytes, head.slice(at)]))).toMatch(/^(read$|E_ONNX_)/);
      }),
      { numRuns: 500, seed: 6 },
    );
  });
});
