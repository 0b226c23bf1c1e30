import { expect, test } from 'vitest';
import { transferable } from '../../src/engine/portChannel.ts';

const large = () => new Float32Array(32_768);

test.each([
  ['nothing', null, 0],
  ['a large array inside an object', { answer: { data: large() } }, 1],
  ['a large array inside a map', { captured: new Map([['resid_post.0', { shape: [1], data: large() }]]) }, 1],
  ['a small array', { data: new Float32Array(8) }, 0],
  ['a view on a part of a larger buffer', { data: large().subarray(0, 20_000) }, 0],
  ['shared memory', { data: new Float32Array(new SharedArrayBuffer(131_072)) }, 0],
])('%s', (_name, message, expected) => {
  expect(transferable(message)).toHaveLength(expected);
});

test('the same buffer is listed once', () => {
  const data = large();
  expect(transferable([data, { again: data }])).toEqual([data.buffer]);
});
