import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logitDecomposition } from '../../src/attribution/flow/logitDecomposition.ts';
import { resolveParameters } from '../../src/attribution/registry.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../src/model/model.ts';
import { siteName, type Site } from '../../src/model/sites.ts';
import { bundledModel, goldenCase, goldenFile, relativeDifference } from '../llama/golden.ts';
import { writeTinyModel } from '../llama/tinyGguf.ts';
import { inputFor, type InputParts } from './attributionInput.ts';

const prepared = (model: Model, parts: InputParts) =>
  inputFor(model, { ...parts, parameters: resolveParameters(logitDecomposition, parts.parameters) });
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

interface Parts {
  readonly embed: number;
  readonly attn: number[];
  readonly mlp: number[];
  readonly heads: number[][];
}

describe('the bundled model against the golden decomposition', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 128 });
  });
  afterAll(() => model.dispose());

  const cases = ['fact', 'ioi'].flatMap((name) => (['target', 'diff'] as const).map((measure) => [name, measure] as const));
  test.each(cases)('%s, %s', async (name, measure) => {
    const golden = (JSON.parse(readFileSync(goldenFile(name, 'dla.json'), 'utf8')) as Record<typeof measure, Parts>)[measure];
    const { ids, target_ids: targets, contrast_id: contrast } = goldenCase(name);
    const [id = 0] = targets;
    const [a = '', b = ''] = await model.tokenizer.pieces([id, contrast]);
    const spec = measure === 'target' ? ({ kind: 'id', id } as const) : ({ kind: 'contrast', a, b } as const);
    for (const [precision, tolerance] of [['dequantised', 1e-3] as const, ['as-served', 0.12] as const]) {
      const { findings, completeness, scores } = await logitDecomposition.attribute(
        await prepared(model, { ids, spec, score: 'logit', parameters: { precision } }),
      );
      const found = findings?.contributions;
      const all = [found?.embedding ?? 0, ...(found?.heads.flat() ?? []), ...(found?.mlps ?? [])];
      expect(relativeDifference(all, [golden.embed, ...golden.heads.flat(), ...golden.mlp])).toBeLessThan(tolerance);
      // No bias in this model: all that heads read comes from tokens.
      expect(sum(scores)).toBeCloseTo(sum(found?.heads.flat() ?? []) + (found?.embedding ?? 0), 4);
      expect(completeness?.share ?? 1).toBeLessThan(precision === 'dequantised' ? 1e-4 : 0.03);
      expect(found?.sum).toBeCloseTo(completeness?.sum ?? 0, 9);
    }
  });
});

/**
 * Parts by forward passes alone. With y in place of the stream behind the last layer, logit(y) − logit(0) is y's part times the scale
 * that the norm gives y; the true part has the scale of the real stream instead.
 */
function measuredParts(model: Model, tokens: Int32Array, read: readonly { readonly position: number; readonly id: number }[]) {
  const width = model.info.hidden;
  const last: Site = { kind: 'resid_post', layer: model.info.layers - 1 };
  const epsilon = 1e-5;
  const isLayerNorm = model.info.architecture === 'gpt2';
  const eps = model.info.architecture.startsWith('qwen') ? 1e-6 : epsilon;
  const scaleOf = (row: Float32Array) => {
    const mean = isLayerNorm ? sum(row) / width : 0;
    return Math.sqrt(row.reduce((total, value) => total + (value - mean) ** 2, 0) / width + eps);
  };
  const capture = async (site: Site, patches: readonly Patch[] = []) => {
    const { captured } = await model.forward({ tokens, capture: [{ site }], patches });
    return captured.get(siteName(site))?.data ?? new Float32Array();
  };
  const logits = async (values: Float32Array) => {
    const patches = [{ site: last, operation: { kind: 'overwrite', values } }] as const;
    const { read: rows } = await model.forward({
      tokens,
      patches,
      read: read.map(({ position, id }) => ({ position, ids: [id] })),
    });
    return rows.map((row) => row.logits[0] as number);
  };
  /** @param values [T, D] something in the residual stream */
  const part = async (values: Float32Array) => {
    const stream = await capture(last);
    const [found, zero] = [await logits(values), await logits(new Float32Array(values.length))];
    return sum(
      read.map(({ position }, index) => {
        const row = (of: Float32Array) => of.subarray(position * width, (position + 1) * width);
        return (((found[index] ?? 0) - (zero[index] ?? 0)) * scaleOf(row(values))) / scaleOf(row(stream));
      }),
    );
  };
  return { capture, part };
}

const minus = (a: Float32Array, b: Float32Array) => a.map((value, at) => value - (b[at] as number));

// qwen2 has biases at q, k and v, qwen3 norms there, gpt2 biases everywhere, a LayerNorm and position embeddings.
describe.each(['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'])('%s against its own forward passes', (name) => {
  const meta = JSON.parse(readFileSync(goldenFile(name, 'meta.json'), 'utf8')) as { ids: number[]; target: number };
  const ids = meta.ids.slice(0, 12);
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());

  const targets: [what: string, parts: InputParts][] = [
    ['one logit', { spec: { kind: 'id', id: meta.target } }],
    ['logits of a response', { spec: { kind: 'response' }, score: 'logit', response: [84, 32, 99] }],
  ];
  test.each(targets)('%s', async (_what, parts) => {
    const input = await prepared(model, { ids, ...parts });
    const { scores, findings, completeness } = await logitDecomposition.attribute(input);
    const tokens = Int32Array.from([...ids, ...input.target.continuation]);
    const size = tokens.length;
    const { layers, heads } = model.info;
    const read = input.target.reads(ids.length).map((row) => ({ position: row.position, id: row.ids[0] ?? 0 }));
    const { capture, part } = measuredParts(model, tokens, read);
    const close = (actual: number | undefined, expected: number) => {
      expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThan(2e-3 * Math.max(1, Math.abs(input.value)));
    };

    const found = findings?.contributions;
    const embedded = await capture({ kind: 'embed' });
    close(found?.embedding, await part(embedded));
    const expected = new Float64Array(size);
    for (const position of new Set(read.map((row) => row.position))) {
      const alone = new Float32Array(embedded.length);
      const [from, to] = [position * model.info.hidden, (position + 1) * model.info.hidden];
      alone.set(embedded.subarray(from, to), from);
      expected[position] = await part(alone);
    }
    for (let layer = 0; layer < layers; layer++) {
      const attention: Site = { kind: 'attn_out', layer };
      close(found?.mlps[layer], await part(await capture({ kind: 'mlp_out', layer })));
      const z: Site = { kind: 'z', layer };
      const zero = { site: z, operation: { kind: 'zero' } } as const;
      const biases = await capture(attention, [zero]);
      for (let head = 0; head < heads; head++) {
        const others = Array.from({ length: heads }, (_, other) => other).filter((other) => other !== head);
        const alone = minus(await capture(attention, [{ ...zero, heads: others }]), biases);
        close(found?.heads[layer]?.[head], await part(alone));
      }
      const pattern = await capture({ kind: 'pattern', layer });
      for (let key = 0; key < size; key++) {
        const values = pattern.map((share, at) => (at % size === key ? share : 0));
        const only = await capture(attention, [{ site: { kind: 'pattern', layer }, operation: { kind: 'overwrite', values } }]);
        expected[key] = (expected[key] as number) + (await part(minus(only, biases)));
      }
    }
    ids.forEach((_id, token) => close(scores[token], expected[token] as number));
    close(completeness?.sum, input.value);
    expect(completeness?.expected).toBeCloseTo(input.value, 3);
  });
});

describe('what it is of other targets, and what it refuses', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(goldenFile('tiny_llama', 'model.gguf'), { threads: 1, contextLength: 64 });
  });
  afterAll(() => model.dispose());
  const ids = [84, 257, 32, 99, 259];

  test('of a log-probability: the logit over the mean logit the model expects', async () => {
    const input = await prepared(model, { ids, spec: { kind: 'id', id: 99 }, score: 'logprob' });
    const { completeness } = await logitDecomposition.attribute(input);
    const { logits } = await model.forward({ tokens: Int32Array.from(ids), logits: 'last' });
    const row = [...(logits?.values ?? [])];
    const total = Math.log(sum(row.map(Math.exp)));
    const mean = sum(row.map((logit) => Math.exp(logit - total) * logit));
    expect(completeness?.sum).toBeCloseTo((row[99] ?? 0) - mean, 4);
    expect(completeness?.expected).toBeCloseTo((row[99] ?? 0) - mean, 4);
  });

  test('entropy, one token, hidden units, no unit', async () => {
    const entropy = await logitDecomposition.attribute(await prepared(model, { ids, spec: { kind: 'entropy' } }));
    expect(entropy.scores.every(Number.isFinite)).toBe(true);
    const single = await logitDecomposition.attribute(await prepared(model, { ids: [84], spec: { kind: 'id', id: 99 } }));
    expect(single.completeness?.share ?? 1).toBeLessThan(1e-3);
    const hidden = await logitDecomposition.attribute(
      await prepared(model, { ids, spec: { kind: 'id', id: 99 }, kinds: ['text', 'template'] }),
    );
    expect(hidden.scores[1]).toBe(0);
    expect(hidden.scores[0]).not.toBe(0);
    const none = await logitDecomposition.attribute(await prepared(model, { ids, groups: [] }));
    expect([...none.scores]).toEqual([]);
  });

  test('a run that is stopped', async () => {
    const input = await prepared(model, { ids });
    const controller = new AbortController();
    const running = logitDecomposition.attribute(input, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });

  test.each(['gemma2', 'gemma3'] as const)('%s puts a norm behind attention', async (architecture) => {
    const tiny = writeTinyModel(architecture);
    const gemma = await openLlamaModel(tiny.file, { threads: 1, contextLength: 64 });
    try {
      const input = { ...(await prepared(model, { ids: [3, 10, 17], spec: { kind: 'id', id: 5 } })), model: gemma };
      await expect(logitDecomposition.attribute(input)).rejects.toThrow(/E_METHOD_UNSUPPORTED.*without a norm of its own/);
    } finally {
      await gemma.dispose();
      tiny.remove();
    }
  });
});
