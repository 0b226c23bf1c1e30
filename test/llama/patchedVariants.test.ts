import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model, Patch, VariantsRequest } from '../../src/model/model.ts';
import { bundledModel, goldenCase } from './golden.ts';

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 64 });
});
afterAll(() => model.dispose());

const tokens = Int32Array.from(goldenCase('ioi').ids);
const last = tokens.length - 1;
const read = [{ position: last, ids: [5099, 2322] }];
const row = (seed: number) => Float32Array.from({ length: 576 }, (_, index) => Math.sin(index * seed));
const at = (kind: 'resid_pre' | 'resid_post' | 'mlp_out' | 'embed', layer: number | undefined, position: number): Patch => ({
  site: { kind, ...(layer === undefined ? {} : { layer }) },
  positions: [position],
  operation: { kind: 'overwrite', values: row(position + 1) },
});

const patched: VariantsRequest['variants'][number][] = [
  ...[0, 3, 4, last].flatMap((position) => [
    { tokens, read, patches: [at('resid_pre', 3, position)] },
    { tokens, read, patches: [at('resid_post', 29, position)] },
    { tokens, read, patches: [at('embed', undefined, position), at('mlp_out', 10, Math.min(last, position + 2))] },
  ]),
  { tokens, read, patches: [{ site: { kind: 'z', layer: 5 }, heads: [2], operation: { kind: 'mean' } }] },
  { tokens, read, patches: [{ site: { kind: 'z', layer: 5 }, heads: [2], positions: [6, 9], operation: { kind: 'zero' } }] },
  { tokens, read, patches: [{ site: { kind: 'scores', layer: 2 }, positions: [9], operation: { kind: 'hide', keys: [1, 2] } }] },
  { tokens, read },
];

test('patched sequences that share a beginning give the bytes of single passes, and leave nothing behind', async () => {
  const results = await model.forwardVariants({ variants: patched });
  for (const [index, variant] of patched.entries()) {
    const alone = await model.forward(variant);
    expect(results[index]?.read, `variant ${index}`).toEqual(alone.read);
  }
  const plain = await model.forwardVariants({ variants: [{ tokens, read }] });
  expect(plain[0]?.read).toEqual(results.at(-1)?.read);
});

test('a patch that does not fit is refused before anything runs', async () => {
  const short: Patch = {
    site: { kind: 'resid_pre', layer: 0 },
    positions: [1],
    operation: { kind: 'add', values: row(1).slice(1) },
  };
  await expect(model.forwardVariants({ variants: [{ tokens, read, patches: [short] }] })).rejects.toMatchObject({
    code: 'E_PATCH_SHAPE',
  });
});
