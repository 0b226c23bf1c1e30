import { expect, test } from 'vitest';
import { findSink, withoutSink } from '../../../webview/attention/sink.ts';
import { attentionValues } from '../harness/samples.ts';

const matrix = (...rows: number[][]) => Float32Array.from(rows.flat());

test.each([
  ['the first token', matrix([1, 0, 0, 0], [0.9, 0.1, 0, 0], [0.8, 0.1, 0.1, 0], [0.7, 0.1, 0.1, 0.1]), 4, 0],
  ['a later one', matrix([1, 0, 0, 0], [0.1, 0.9, 0, 0], [0.1, 0.8, 0.1, 0], [0.1, 0.7, 0.1, 0.1]), 4, 1],
  ['none stands out: the first', matrix([1, 0, 0, 0], [0.1, 0.9, 0, 0], [0.1, 0.1, 0.8, 0], [0.1, 0.1, 0.1, 0.7]), 4, 0],
  ['one token', matrix([1]), 1, 0],
  ['no token', matrix(), 0, 0],
])('sink: %s', (_, values, tokens, expected) => expect(findSink(values, tokens, tokens)).toBe(expected));

test('without its sink each row sums to 1 again, and the original is untouched', () => {
  const tokens = 24;
  const values = attentionValues(tokens, 2, 1);
  const before = values.slice();
  const rest = withoutSink(values, tokens, tokens, 0);
  for (let query = 0; query < tokens; query += 1) {
    const row = rest.subarray(query * tokens, (query + 1) * tokens);
    const sum = row.reduce((total, weight) => total + weight, 0);
    // The first query can look at nothing but the sink.
    expect(sum).toBeCloseTo(query === 0 ? 0 : 1, 5);
    expect(row[0]).toBe(0);
  }
  // Proportions among the rest are kept.
  expect(rest[5 * tokens + 3]! / rest[5 * tokens + 4]!).toBeCloseTo(values[5 * tokens + 3]! / values[5 * tokens + 4]!, 4);
  expect(values).toEqual(before);
});

test('a row of NaN becomes an empty row', () => {
  expect([...withoutSink(matrix([1, 0], [Number.NaN, Number.NaN]), 2, 2, 0)]).toEqual([0, 0, 0, 0]);
});
