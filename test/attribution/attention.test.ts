import { describe, expect, test } from 'vitest';
import { attention } from '../../src/attribution/flow/attention.ts';
import { rollOut } from '../../src/attribution/flow/rollout.ts';
import { inputFor } from './attributionInput.ts';
import { createLinearModel, headPattern, linearInfo } from './linearModel.ts';

const model = createLinearModel();
const text = 'The cat sat on the mat';

function meanPattern(ids: number[], layer: number): number[][] {
  const heads = Array.from({ length: linearInfo.heads }, (_, head) => headPattern(ids, layer, head));
  return ids.map((_q, query) =>
    ids.map(
      (_k, key) => heads.reduce((sum, head) => sum + Math.fround(head[query * ids.length + key] as number), 0) / heads.length,
    ),
  );
}

/** Rollout as the paper writes it: whole matrices, from the first layer up. */
function rolloutMatrix(ids: number[]): number[][] {
  const eye = (a: number, b: number): number => (a === b ? 1 : 0);
  let product = ids.map((_a, row) => ids.map((_b, column) => eye(row, column)));
  for (let layer = 0; layer < linearInfo.layers; layer++) {
    const mixed = meanPattern(ids, layer).map((row, query) => row.map((share, key) => 0.5 * share + 0.5 * eye(query, key)));
    product = mixed.map((row) =>
      ids.map((_c, column) => row.reduce((sum, share, k) => sum + share * (product[k]?.[column] ?? 0), 0)),
    );
  }
  return product;
}

const close = (actual: ArrayLike<number>, expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(actual[index]).toBeCloseTo(value, 6);
  });
};

describe('last layer', () => {
  test('the row that predicts the next token', async () => {
    const input = await inputFor(model, { text });
    const output = await attention.attribute(input);
    const ids = input.tokens.map((token) => token.id);
    close(output.scores, meanPattern(ids, 2).at(-1) ?? []);
    expect(output.warnings.map((warning) => warning.code)).toEqual(['W_ATTENTION_NOT_ATTRIBUTION']);
    expect(output.forwardPasses).toBe(1);
  });

  test('a unit gets the sum over its tokens, a response the mean over its rows', async () => {
    const input = await inputFor(model, {
      text,
      groups: [
        [0, 1, 2],
        [3, 4, 5],
      ],
      spec: { kind: 'response' },
      response: [9, 12, 40],
    });
    const ids = [...input.tokens.map((token) => token.id), 9, 12];
    const rows = [5, 6, 7].map((row) => meanPattern(ids, 2)[row] ?? []);
    const mean = ids.map((_id, key) => rows.reduce((sum, row) => sum + (row[key] ?? 0) / 3, 0));
    const sum = (from: number, to: number) => mean.slice(from, to).reduce((total, share) => total + share, 0);
    close((await attention.attribute(input)).scores, [sum(0, 3), sum(3, 6)]);
  });
});

describe('rollout', () => {
  test('equals the product of the matrices', async () => {
    const input = await inputFor(model, { text, parameters: { aggregation: 'rollout' } });
    const ids = input.tokens.map((token) => token.id);
    const { scores } = await attention.attribute(input);
    close(scores, rolloutMatrix(ids).at(-1) ?? []);
    expect(scores.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test('any weighting of rows is the same weighting of their rollouts', async () => {
    const ids = [9, 12, 40, 7];
    const { mass } = await rollOut(model, Int32Array.from(ids), Float64Array.of(0, 0.25, 0, 0.75));
    const whole = rolloutMatrix(ids);
    close(
      mass,
      ids.map((_id, key) => 0.25 * (whole[1]?.[key] ?? 0) + 0.75 * (whole[3]?.[key] ?? 0)),
    );
  });
});

test('a model that yields NaN inside', async () => {
  const input = await inputFor(model, { ids: [9, 12, 40] });
  const poisoned = createLinearModel({ poison: 12 });
  await expect(attention.attribute({ ...input, model: poisoned })).rejects.toMatchObject({ code: 'E_NUMERIC' });
});
