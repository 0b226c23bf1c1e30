/** Every dialect through the Model interface: what PyTorch computed for logits, residual stream, attention and gradients. */
import { describe, expect, test } from 'vitest';
import type { GradientTarget } from '../../src/model/gradient.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { dialects, modelFile, onnxGolden, relativeError } from './fixture.ts';

describe.each(dialects)('$name', ({ name, tolerance, exact }) => {
  const golden = onnxGolden(name);
  const tokens = Int32Array.from(golden.ids);
  const last = tokens.length - 1;
  const isLanguageModel = golden.kind === 'lm';

  test('logits, stream, attention, gradients', async () => {
    const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
    try {
      const { info } = model;
      expect(info).toMatchObject({
        format: 'onnx',
        layers: golden.layers,
        heads: 4,
        hidden: 64,
        can: { capture: true, patch: true, gradient: true },
      });
      const layers = Array.from({ length: golden.layers }, (_, layer) => layer);
      const capture = layers.flatMap((layer) => [
        { site: { kind: 'resid_pre' as const, layer } },
        { site: { kind: 'pattern' as const, layer } },
      ]);
      const { logits, captured, nonFinite } = await model.forward({ tokens, logits: isLanguageModel ? 'all' : 'last', capture });
      expect(nonFinite).toBeNull();
      const errors: Record<string, number> = { logits: relativeError(logits!.values, golden.tensor('logits').data) };
      const position = isLanguageModel ? last : 0;
      const target: GradientTarget = { kind: 'logit', terms: [{ position, id: golden.targetToken, weight: 1 }] };
      const at = [{ kind: 'embed' as const }, ...capture.map(({ site }) => site)];
      const gradient = await model.gradient({ tokens, targets: [target], at });
      const by = gradient.targets[0]!.gradients;
      for (const layer of layers) {
        errors[`h${layer}`] = relativeError(captured.get(`resid_pre.${layer}`)!.data, golden.tensor(`h${layer}`).data);
        errors[`p${layer}`] = relativeError(captured.get(`pattern.${layer}`)!.data, golden.tensor(`p${layer}`).data);
        errors[`gh${layer}`] = relativeError(by.get(`resid_pre.${layer}`)!.data, golden.tensor(`gh${layer}`).data);
        errors[`gp${layer}`] = relativeError(by.get(`pattern.${layer}`)!.data, golden.tensor(`gp${layer}`).data);
      }
      for (const [what, error] of Object.entries(errors)) expect(error, what).toBeLessThan(Math.max(tolerance, 1e-4));
    } finally {
      await model.dispose();
    }
  });

  test('parts add up, softmax of the scores is the pattern, and no site is missing', async () => {
    const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
    try {
      const missing = model.info.notes.filter((note) => note.startsWith('Not visible'));
      expect(missing).toEqual([]);
      const layer = 1;
      const kinds = [
        'resid_pre',
        'q',
        'k',
        'v',
        'scores',
        'pattern',
        'z',
        'attn_out',
        'resid_mid',
        'mlp_post',
        'mlp_out',
        'resid_post',
      ] as const;
      const { captured } = await model.forward({ tokens, capture: kinds.map((kind) => ({ site: { kind, layer } })) });
      const at = (kind: (typeof kinds)[number]) => captured.get(`${kind}.${layer}`)!;
      const { heads, kvHeads, headSize, neurons } = model.info;
      const T = tokens.length;
      expect(at('q').shape).toEqual([T, heads, headSize]);
      expect(at('k').shape).toEqual([T, kvHeads, headSize]);
      expect(at('v').shape).toEqual([T, kvHeads, headSize]);
      expect(at('z').shape).toEqual([T, heads, headSize]);
      expect(at('mlp_post').shape).toEqual([T, neurons]);
      // Where the stream itself is normalised, its parts do not add up to it.
      if (isLanguageModel) {
        expect(relativeError(sum(at('resid_pre').data, at('attn_out').data), at('resid_mid').data)).toBeLessThan(1e-5);
        expect(relativeError(sum(at('resid_mid').data, at('mlp_out').data), at('resid_post').data)).toBeLessThan(1e-5);
      }
      const { scores, pattern } = { scores: at('scores').data, pattern: at('pattern').data };
      for (let row = 0; row < heads * T; row++) {
        const own = scores.subarray(row * T, (row + 1) * T);
        const powers = Float64Array.from(own, (score) => Math.exp(score - Math.max(...own)));
        const total = powers.reduce((a, b) => a + b, 0);
        for (let key = 0; key < T; key++) expect(powers[key]! / total).toBeCloseTo(pattern[row * T + key]!, 5);
        if (isLanguageModel) expect(Array.from(own.subarray((row % T) + 1)).every((score) => score === -Infinity)).toBe(true);
      }
      // z of the first head and last position: its pattern times v.
      const [z, v] = [at('z').data, at('v').data];
      const group = heads / kvHeads;
      for (let head = 0; head < heads; head++) {
        const weights = pattern.subarray((head * T + last) * T, (head * T + last + 1) * T);
        for (let index = 0; index < headSize; index++) {
          const found = weights.reduce(
            (total, weight, key) => total + weight * v[(key * kvHeads + Math.floor(head / group)) * headSize + index]!,
            0,
          );
          expect(z[(last * heads + head) * headSize + index]).toBeCloseTo(found, 4);
        }
      }
    } finally {
      await model.dispose();
    }
  });

  test('patches: an activation put back changes nothing, another run’s stream is that run, and the next run is as before', async () => {
    const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
    try {
      const other = tokens.slice();
      other[3] = (tokens[3]! + 7) % 300;
      const site = { kind: 'resid_pre' as const, layer: 1 };
      const clean = await model.forward({ tokens, logits: 'last', capture: [{ site }] });
      const values = clean.captured.get('resid_pre.1')!.data;
      const whole = { site, operation: { kind: 'overwrite' as const, values } };
      const restored = await model.forward({ tokens: other, logits: 'last', patches: [whole] });
      expect(relativeError(restored.logits!.values, clean.logits!.values)).toBeLessThan(1e-5);
      const row = values.slice(3 * 64, 4 * 64);
      const same = await model.forward({
        tokens,
        logits: 'last',
        patches: [{ ...whole, positions: [3], operation: { kind: 'overwrite', values: row } }],
      });
      expect(relativeError(same.logits!.values, clean.logits!.values)).toBeLessThan(1e-5);
      const zero = { kind: 'zero' as const };
      const head = await model.forward({
        tokens,
        logits: 'last',
        patches: [{ site: { kind: 'z', layer: 0 }, heads: [1], operation: zero }],
      });
      const pattern = await model.forward({
        tokens,
        logits: 'last',
        patches: [{ site: { kind: 'pattern', layer: 0 }, heads: [1], operation: zero }],
      });
      expect(relativeError(head.logits!.values, pattern.logits!.values)).toBeLessThan(1e-5);
      expect(relativeError(head.logits!.values, clean.logits!.values)).toBeGreaterThan(1e-6);
      const again = await model.forward({ tokens, logits: 'last', capture: [{ site }] });
      expect(again.logits!.values).toEqual(clean.logits!.values);
    } finally {
      await model.dispose();
    }
  });

  test.runIf(isLanguageModel)(
    'writes what full passes predict; the unembedding of the last stream gives the logits',
    async () => {
      const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
      try {
        const { tokens: written } = await model.generate({ tokens, maxTokens: 4, temperature: 0, seed: 0, top: 2 });
        let all = Array.from(tokens);
        // 8-bit activations of one token are rounded otherwise than those of many.
        const close = tolerance > 1e-3 ? 0 : 3;
        for (const token of written) {
          const { read } = await model.forward({
            tokens: Int32Array.from(all),
            read: [{ position: all.length - 1, ids: [token.id], top: 1 }],
          });
          if (close > 0) expect(read[0]!.top[0]!.id).toBe(token.id);
          expect(token.logprob).toBeCloseTo(read[0]!.logits[0]! - read[0]!.logSumExp, close);
          all = [...all, token.id];
        }
        const stream = { kind: 'resid_post' as const, layer: model.info.layers - 1 };
        const { captured, read } = await model.forward({
          tokens,
          read: [{ position: last, ids: [5, 9] }],
          capture: [{ site: stream }],
        });
        const [found] = await model.unembed({
          rows: captured.get('resid_post.1')!.data.slice(last * 64),
          read: [{ ids: [5, 9] }],
        });
        // 8-bit activations of one row have a scale of their own.
        expect(relativeError(found!.logits, read[0]!.logits)).toBeLessThan(tolerance > 1e-3 ? 0.1 : 1e-5);
      } finally {
        await model.dispose();
      }
    },
  );

  test.runIf(exact < tolerance)('dequantised: gradients of the exact weights', async () => {
    const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
    try {
      const targets: GradientTarget[] = [{ kind: 'logit', terms: [{ position: last, id: golden.targetToken, weight: 1 }] }];
      const { targets: found } = await model.gradient({ tokens, targets, at: [{ kind: 'embed' }], precision: 'dequantised' });
      expect(relativeError(found[0]!.gradients.get('embed')!.data, golden.tensor('g_emb').data)).toBeLessThan(exact);
    } finally {
      await model.dispose();
    }
  });
});

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value + b[index]!);
}

test.each([
  // Learned positions, looked up or cut off: the table ends at 128. Rotary ones have no end.
  ['bert_cls_optimum', 128],
  ['bert_cls_ort_fused', 128],
  ['bert_cls_qattention', 128],
  ['gpt2_optimum_kv', 128],
  // Embedded narrower than the stream.
  ['electra', 32],
  ['llama_torch_legacy', 4096],
])('%s reads %i tokens and no more', async (name, most) => {
  const model = await openOnnxModel(modelFile(name), { threads: 1, contextLength: 0 });
  try {
    expect(model.info.contextLength).toBe(most);
    if (most < 4096) {
      const read = (length: number) => model.forward({ tokens: new Int32Array(length).fill(5), logits: 'last' });
      expect((await read(most)).nonFinite).toBeNull();
      await expect(read(most + 1)).rejects.toMatchObject({ code: 'E_CONTEXT_OVERFLOW' });
    }
  } finally {
    await model.dispose();
  }
});
