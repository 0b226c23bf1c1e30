import { expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import { layerSites, type LayerSite } from '../../src/model/sites.ts';
import { maximumDifference } from './golden.ts';
import { writeTinyModel } from './tinyGguf.ts';

const tokens = Int32Array.from({ length: 20 }, (_, index) => (index * 7 + 3) % 64);
const T = tokens.length;

// Attention scores are capped in gemma2; gemma's odd layers look at the last eight tokens only.
test.each(['gemma2', 'gemma3', 'phi3'] as const)(
  '%s: every site is there, and what is added to the residual stream adds up',
  async (architecture) => {
    const tiny = writeTinyModel(architecture);
    const model = await openLlamaModel(tiny.file, { threads: 1, contextLength: 0 });
    try {
      expect(model.info).toMatchObject({
        architecture,
        layers: 3,
        heads: 4,
        kvHeads: 2,
        can: { capture: true, patch: true },
        notes: [],
      });
      const capture = [0, 1, 2].flatMap((layer) => layerSites.map((kind) => ({ site: { kind, layer } })));
      const plain = await model.forward({ tokens, logits: 'all' });
      const { captured, logits, nonFinite } = await model.forward({
        tokens,
        logits: 'all',
        capture: [...capture, { site: { kind: 'embed' } }],
      });
      expect(nonFinite).toBeNull();
      expect(logits).toEqual(plain.logits);
      for (const layer of [0, 1, 2]) {
        const of = (kind: LayerSite, at = layer) => captured.get(`${kind}.${at}`)?.data ?? new Float32Array();
        const sum = (a: Float32Array, b: Float32Array) => a.map((value, index) => value + (b[index] as number));
        expect(of('resid_pre')).toEqual(layer === 0 ? captured.get('embed')?.data : of('resid_post', layer - 1));
        expect(of('resid_mid')).toEqual(sum(of('resid_pre'), of('attn_out')));
        expect(of('resid_post')).toEqual(sum(of('resid_mid'), of('mlp_out')));
        const [scores, pattern] = [of('scores'), of('pattern')];
        for (let row = 0; row < 4 * T; row++) {
          const exponentials = Float64Array.from(scores.subarray(row * T, (row + 1) * T), Math.exp);
          const total = exponentials.reduce((a, b) => a + b);
          expect(
            maximumDifference(
              pattern.subarray(row * T, (row + 1) * T),
              exponentials.map((value) => value / total),
            ),
          ).toBeLessThan(1e-5);
        }
        expect(captured.get(`mlp_post.${layer}`)?.shape).toEqual([T, 48]);
      }
      if (architecture === 'gemma2') expect(Math.max(...(captured.get('scores.0')?.data ?? []))).toBeLessThanOrEqual(5);
    } finally {
      await model.dispose();
      tiny.remove();
    }
  },
);

test.each(['gemma2', 'gemma3', 'phi3'] as const)(
  '%s: the last layer and the cut of the sliding window can be patched; variants are exact',
  async (architecture) => {
    const tiny = writeTinyModel(architecture);
    const model = await openLlamaModel(tiny.file, { threads: 1, contextLength: 0 });
    try {
      for (const kind of ['attn_out', 'mlp_out', 'z', 'resid_mid', 'resid_post'] as const) {
        const site = { kind, layer: 2 };
        const { captured, logits } = await model.forward({ tokens, logits: 'all', capture: [{ site }] });
        const values = captured.get(`${kind}.2`)?.data ?? new Float32Array();
        const patched = await model.forward({
          tokens,
          logits: 'all',
          patches: [{ site, operation: { kind: 'overwrite', values } }],
        });
        expect(patched.logits).toEqual(logits);
      }
      const variants = [...tokens].map((_, dropped) => ({
        tokens: tokens.filter((__, index) => index !== dropped),
        read: [{ position: T - 2, ids: [1, 2] }],
      }));
      const results = await model.forwardVariants({ variants });
      for (const [index, variant] of variants.entries())
        expect(results[index]?.read).toEqual((await model.forward(variant)).read);
    } finally {
      await model.dispose();
      tiny.remove();
    }
  },
);

test('phi3: a short prompt gives the same bytes after a long one switched the rotary factors', async () => {
  const tiny = writeTinyModel('phi3');
  const model = await openLlamaModel(tiny.file, { threads: 1, contextLength: 600 });
  try {
    const before = await model.forward({ tokens, logits: 'all' });
    const long = Int32Array.from({ length: 300 }, (_, index) => index % 64);
    const first = await model.forward({ tokens: long, logits: 'last' });
    expect(await model.forward({ tokens, logits: 'all' })).toEqual(before);
    expect(await model.forward({ tokens: long, logits: 'last' })).toEqual(first);
  } finally {
    await model.dispose();
    tiny.remove();
  }
});

test('an embedding model opens for its tokeniser, and says why it cannot be evaluated', async () => {
  const tiny = writeTinyModel('bert');
  const model = await openLlamaModel(tiny.file, { threads: 1, contextLength: 0 });
  try {
    expect(model.info.can).toMatchObject({ capture: false, patch: false });
    expect(model.info.notes.join()).toMatch(/embedding model/);
    expect((await model.tokenizer.encode('word1')).tokens.length).toBeGreaterThan(0);
    await expect(model.forward({ tokens: Int32Array.of(1) })).rejects.toMatchObject({ code: 'E_MODEL_UNSUPPORTED' });
    const generation = model.generate({ tokens: Int32Array.of(1), maxTokens: 1, temperature: 0, seed: 0, top: 0 });
    await expect(generation).rejects.toMatchObject({ code: 'E_MODEL_UNSUPPORTED' });
  } finally {
    await model.dispose();
    tiny.remove();
  }
});

test('weights that hold a NaN are reported by the first site they reach', async () => {
  const tiny = writeTinyModel('phi3', (name, data) => {
    if (name === 'blk.1.ffn_down.weight') data[5] = Number.NaN;
  });
  const model = await openLlamaModel(tiny.file, { threads: 1, contextLength: 0 });
  try {
    expect((await model.forward({ tokens, logits: 'last' })).nonFinite).toBe('mlp_out.1');
    expect((await model.forward({ tokens, capture: [{ site: { kind: 'pattern', layer: 0 } }] })).nonFinite).toBe('mlp_out.1');
  } finally {
    await model.dispose();
    tiny.remove();
  }
});
