import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gradientSizes } from '../../../src/attribution/ensemble/gradientSizes.ts';
import { loupe } from '../../../src/attribution/ensemble/loupe.ts';
import type { AttributionInput } from '../../../src/attribution/method.ts';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { siteName, type Site } from '../../../src/model/sites.ts';
import { goldenFile } from '../../llama/golden.ts';
import { siteUnknown } from '../../../src/shared/errorCatalog.ts';
import { fullValue, inputFor } from '../attributionInput.ts';
import { createSmoothModel } from '../smoothModel.ts';

const { ids, target } = JSON.parse(readFileSync(goldenFile('tiny_llama', 'meta.json'), 'utf8')) as {
  ids: number[];
  target: number;
};
/** Two tokens a unit; the last unit holds the last token. */
const groups = Array.from({ length: Math.ceil(ids.length / 2) }, (_, unit) =>
  [2 * unit, 2 * unit + 1].filter((at) => at < ids.length),
);

let model: Model;
let input: AttributionInput;
beforeAll(async () => {
  model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 128 });
  input = await inputFor(model, { ids, groups, spec: { kind: 'id', id: target }, parameters: resolveParameters(loupe) });
});
afterAll(() => model.dispose());

/** [units] of one site alone, from a gradient of its own. */
async function sizesAt(site: Site): Promise<number[]> {
  const { targets } = await model.gradient({
    tokens: Int32Array.from(ids),
    targets: [input.target.gradient(ids.length)],
    at: [site],
  });
  const { shape, data } = targets[0]?.gradients.get(siteName(site)) ?? { shape: [], data: [] };
  const width = shape[1] ?? 0;
  return groups.map((unit) =>
    unit.reduce((sum, token) => sum + Math.hypot(...data.slice(token * width, (token + 1) * width)), 0),
  );
}

/** In its own standard deviations, of all but the last unit. */
function standard(values: readonly number[]): number[] {
  const ranked = values.slice(0, -1);
  const mean = ranked.reduce((sum, value) => sum + value, 0) / ranked.length;
  const deviation = Math.sqrt(ranked.reduce((sum, value) => sum + (value - mean) ** 2, 0) / ranked.length);
  return values.map((value) => value / (deviation || 1));
}

test('sizes at the embeddings and at 3/5, 2/3 and 3/4 of the depth; where the answer is read, at the embeddings alone', async () => {
  const { embedding, residuals, forwardPasses } = await gradientSizes(input, {});
  expect([...embedding]).toEqual((await sizesAt({ kind: 'embed' })).map((size) => expect.closeTo(size, 6) as number));
  // Three layers: 1.8, 2 and 2.25 are layers 1 and 2.
  expect(residuals).toHaveLength(2);
  for (const [index, layer] of [1, 2].entries()) {
    const own = await sizesAt({ kind: 'resid_post', layer });
    expect(own.at(-1)).toBeGreaterThan(0);
    expect([...(residuals[index] ?? [])]).toEqual([...own.slice(0, -1).map((size) => expect.closeTo(size, 6) as number), 0]);
  }
  expect(forwardPasses).toBe(2);
});

test.each([
  [1, [0]],
  [2, [1]],
  [4, [2, 3]],
  [12, [7, 8, 9]],
  [30, [18, 20, 22]],
])('of %i layers it reads %j', async (layers, expected) => {
  const smooth = createSmoothModel();
  const deep = await inputFor({ ...smooth, info: { ...smooth.info, layers } }, { text: 'The cat sat', parameters: {} });
  await gradientSizes(deep, {});
  expect(smooth.gradients[0]?.at).toEqual([{ kind: 'embed' }, ...expected.map((layer) => ({ kind: 'resid_post', layer }))]);
});

test('a model whose residual stream was not found is read at the embeddings', async () => {
  const smooth = createSmoothModel();
  const gradient: Model['gradient'] = async (request, call) => {
    const named = request.at.find((site) => site.kind !== 'embed');
    if (named !== undefined) throw siteUnknown(siteName(named), 'the file has no tensor of this kind', ['embed']);
    return await smooth.gradient(request, call);
  };
  const plain = await inputFor({ ...smooth, gradient }, { text: 'The cat sat on the mat', parameters: resolveParameters(loupe) });
  const { residuals, embedding } = await gradientSizes(plain, {});
  expect(residuals).toEqual([]);
  expect(Math.min(...embedding)).toBeGreaterThan(0);
  expect(smooth.gradients).toHaveLength(1);
  const { scores } = await loupe.attribute(plain);
  expect(scores.every((score) => score > 0)).toBe(true);
});

test('quick is the sum of three parts in standard deviations: embeddings, residual stream, what late units really add', async () => {
  const { scores, scoreUnit } = await loupe.attribute(input);
  expect(scoreUnit).toBe('standard deviations');
  const residuals = [
    standard(await sizesAt({ kind: 'resid_post', layer: 1 })),
    standard(await sizesAt({ kind: 'resid_post', layer: 2 })),
  ];
  const middle = groups.map((_, unit) =>
    unit === groups.length - 1 ? 0 : (residuals[0]?.[unit] ?? 0) + (residuals[1]?.[unit] ?? 0),
  );
  const falls = groups.map(() => 0);
  let spent = 0;
  for (let unit = groups.length - 2; unit >= 0; unit--) {
    // What follows a unit is read again; what two of them share is read once.
    const [first = 0] = groups[unit] ?? [];
    spent += (ids.length - first - 2) / ids.length;
    if (spent > 0.9) break;
    const without = Int32Array.from(ids.filter((_id, at) => groups[unit]?.includes(at) !== true));
    falls[unit] = Math.max(0, input.value - (await fullValue(model, without, input.target)));
  }
  const parts = [standard(await sizesAt({ kind: 'embed' })), standard(middle), standard(falls)];
  const expected = groups.map((_, unit) => parts.reduce((sum, part) => sum + (part[unit] ?? 0), 0));
  expect([...scores]).toEqual(expected.map((score) => expect.closeTo(score, 4) as number));
});
