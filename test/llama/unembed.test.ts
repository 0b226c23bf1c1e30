import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UnembedRead } from '../../src/model/model.ts';
import type { LlamaModel } from '../../src/llama/llamaModel.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import { goldenFile, maximumDifference } from './golden.ts';

/** Of one layout each: RMSNorm, LayerNorm with a bias, a cap on the logits. */
const families = [
  ['llama', goldenFile('tiny_llama', 'model.gguf')],
  ['gpt2', goldenFile('tiny_gpt2', 'model.gguf')],
  ['gemma2', 'test/fixtures/gradients/gemma2/model.gguf'],
] as const;
const ids = Int32Array.of(3, 1, 4, 1, 5, 9, 2);

describe.each(families)('unembedding %s', (_family, file) => {
  let model: LlamaModel;
  beforeAll(async () => {
    model = await openLlamaModel(file, { threads: 1, contextLength: 0 });
  });
  afterAll(() => model.dispose());

  const lastStream = async () => {
    const site = { kind: 'resid_post', layer: model.info.layers - 1 } as const;
    const result = await model.forward({ tokens: ids, logits: 'all', capture: [{ site }] });
    const rows = result.captured.get(`resid_post.${site.layer}`)?.data ?? new Float32Array();
    return { rows, logits: result.logits?.values ?? new Float32Array() };
  };

  it('gives the model its own logits behind the last block', async () => {
    const { rows, logits } = await lastStream();
    const { vocabulary } = model.info;
    const all = Array.from({ length: vocabulary }, (_, id) => id);
    const read = Array.from(ids, (): UnembedRead => ({ ids: all, top: 3, bottom: 2, entropy: true }));
    const found = await model.unembed({ rows, read });
    found.forEach((result, position) => {
      const row = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
      expect(maximumDifference(result.logits, row)).toBeLessThan(1e-5);
      const order = all.toSorted((a, b) => (row[b] as number) - (row[a] as number) || a - b);
      expect(result.top.map(({ id }) => id)).toEqual(order.slice(0, 3));
      expect(result.bottom.map(({ id }) => id)).toEqual(order.toReversed().slice(0, 2));
      expect(result.ranks[order[4] as number]).toBe(5);
      const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
      const entropy = row.reduce((sum, logit) => sum - Math.exp(logit - total) * (logit - total), 0);
      expect(result.logSumExp).toBeCloseTo(total, 5);
      expect(result.entropy).toBeCloseTo(entropy, 5);
    });
  });

  it('compares rows with earlier ones', async () => {
    const { rows, logits } = await lastStream();
    const { vocabulary, hidden } = model.info;
    const three = rows.slice(0, 3 * hidden);
    const all = Array.from({ length: vocabulary }, (_, id) => id);
    const [, second, third] = await model.unembed({
      rows: three,
      read: [{}, { reference: 0 }, { reference: 0, minus: 1, ids: all }],
    });
    const row = (index: number) => logits.subarray(index * vocabulary, (index + 1) * vocabulary);
    const logSoftmax = (values: Float32Array) => {
      const total = Math.log(values.reduce((sum, logit) => sum + Math.exp(logit), 0));
      return values.map((value) => value - total);
    };
    const divergence = (a: Float32Array, b: Float32Array) => {
      const [p, q] = [logSoftmax(a), logSoftmax(b)];
      return p.reduce((sum, value, id) => sum + Math.exp(value) * (value - (q[id] as number)), 0);
    };
    const difference = row(2).map((value, id) => value - (row(1)[id] as number));
    expect(second?.divergence).toBeCloseTo(divergence(row(0), row(1)), 5);
    expect(third?.divergence).toBeCloseTo(divergence(row(0), difference), 5);
    expect(maximumDifference(third?.logits ?? [], difference)).toBeLessThan(1e-5);
  });

  it('reads any number of rows, and leaves the next request as it was', async () => {
    const { rows } = await lastStream();
    const { hidden } = model.info;
    const many = new Float32Array(150 * hidden);
    for (let row = 0; row < 150; row++)
      many.set(rows.subarray((row % ids.length) * hidden, ((row % ids.length) + 1) * hidden), row * hidden);
    const found = await model.unembed({ rows: many, read: Array.from({ length: 150 }, () => ({ top: 1 })) });
    found.forEach(({ logSumExp, top }, row) => {
      expect(logSumExp).toBeCloseTo(found[row % ids.length]?.logSumExp ?? Number.NaN, 5);
      expect(top[0]?.id).toBe(found[row % ids.length]?.top[0]?.id);
    });
    expect((await lastStream()).rows).toEqual(rows);
  });

  it.each([
    ['E_PATCH_SHAPE', () => ({ rows: new Float32Array(3), read: [{}] })],
    ['E_TOKEN_RANGE', (hidden: number) => ({ rows: new Float32Array(hidden), read: [{ ids: [-1] }] })],
    ['E_TOKEN_RANGE', (hidden: number) => ({ rows: new Float32Array(hidden), read: [{ reference: 0 }] })],
    ['E_NUMERIC', (hidden: number) => ({ rows: new Float32Array(hidden).fill(Number.NaN), read: [{}] })],
  ])('refuses what does not fit: %s', async (code, request) => {
    await expect(model.unembed(request(model.info.hidden))).rejects.toMatchObject({ code });
  });

  it('stops when it is told to', async () => {
    const rows = new Float32Array(model.info.hidden).fill(1);
    await expect(model.unembed({ rows, read: [{}] }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
