/** Families whose layers are built another way, as torch exports them: every site where it should be, with the numbers of PyTorch. */
import { expect, test } from 'vitest';
import type { GradientTarget } from '../../src/model/gradient.ts';
import type { Tensor } from '../../src/model/model.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { LoupeError } from '../../src/shared/errors.ts';
import { modelFile, onnxGolden, relativeError } from './fixture.ts';

const hidden = 32;
const layers = [0, 1] as const;

type Captured = Pick<Tensor, 'data' | 'shape'>;

/** Σ pattern · v: pattern [heads, tokens, tokens], v [tokens, key/value heads, size] → [tokens, heads, size] */
function mixed(pattern: Captured, { data, shape }: Captured): Float64Array {
  const [heads = 0, tokens = 0] = pattern.shape;
  const [, kvHeads = 0, size = 0] = shape;
  const of = (query: number, head: number, index: number) => {
    const row = pattern.data.subarray((head * tokens + query) * tokens, (head * tokens + query + 1) * tokens);
    const own = Math.floor(head / (heads / kvHeads));
    return row.reduce((sum, weight, key) => sum + weight * (data[(key * kvHeads + own) * size + index] as number), 0);
  };
  return Float64Array.from({ length: tokens * heads * size }, (_, at) =>
    of(Math.floor(at / (heads * size)), Math.floor(at / size) % heads, at % size),
  );
}

test.each<readonly [family: string, missing: readonly string[]]>([
  ['opt', []],
  ['bloom', []],
  ['electra', []],
  ['gemma2', []],
  // Its layers have several feed-forward blocks, and none of them alone.
  ['mobilebert', ['Not visible in every layer of this model: attn_out, resid_mid, mlp_post, mlp_out.']],
])('%s', async (family, missing) => {
  const golden = onnxGolden(family);
  const tokens = Int32Array.from(golden.ids);
  const isLanguageModel = golden.kind === 'lm';
  const model = await openOnnxModel(modelFile(family), { threads: 1, contextLength: 0 });
  try {
    expect(model.info).toMatchObject({ layers: 2, heads: 4, hidden, can: { capture: true, patch: true, gradient: true } });
    expect(model.info.notes.filter((note) => note.startsWith('Not visible'))).toEqual(missing);
    const hasBlocks = missing.length === 0;
    const kinds = [
      'resid_pre',
      'resid_post',
      'pattern',
      'q',
      'k',
      'v',
      'z',
      ...(hasBlocks ? (['mlp_post'] as const) : []),
    ] as const;
    const capture = layers.flatMap((layer) => kinds.map((kind) => ({ site: { kind, layer } })));
    const { logits, captured } = await model.forward({ tokens, logits: isLanguageModel ? 'all' : 'last', capture });
    const target: GradientTarget = {
      kind: 'logit',
      terms: [{ position: isLanguageModel ? tokens.length - 1 : 0, id: golden.targetToken, weight: 1 }],
    };
    const { targets } = await model.gradient({ tokens, targets: [target], at: capture.map(({ site }) => site) });
    const errors: Record<string, number> = { logits: relativeError(logits?.values ?? [], golden.tensor('logits').data) };
    /** A site, and its derivative where PyTorch kept one. */
    const compare = (site: string, name: string, hasGradient = true) => {
      errors[site] = relativeError(captured.get(site)?.data ?? [], golden.tensor(name).data);
      if (hasGradient)
        errors[`∂ ${site}`] = relativeError(targets[0]?.gradients.get(site)?.data ?? [], golden.tensor(`g${name}`).data);
    };
    for (const layer of layers) {
      compare(`resid_pre.${layer}`, `h${layer}`);
      compare(`pattern.${layer}`, `p${layer}`);
      if (hasBlocks) {
        compare(`mlp_post.${layer}`, `n${layer}`, false);
        expect(captured.get(`mlp_post.${layer}`)?.shape).toEqual(golden.tensor(`n${layer}`).shape.slice(1));
      }
      const heads = ['pattern', 'v', 'z'].map((kind) => captured.get(`${kind}.${layer}`));
      const [pattern, v, z] = heads.map((tensor) => tensor ?? { data: new Float32Array(0), shape: [0, 0, 0] });
      if (pattern !== undefined && v !== undefined) errors[`z.${layer}`] = relativeError(z?.data ?? [], mixed(pattern, v));
    }
    compare('resid_post.0', 'h1');
    // Behind the last layer transformers shows the stream with the norm that follows, where one does.
    compare('resid_post.1', isLanguageModel ? 'r' : 'h2', !isLanguageModel);
    for (const [what, error] of Object.entries(errors)) expect(error, what).toBeLessThan(1e-4);
  } finally {
    await model.dispose();
  }
});

test('a site that a model lacks is refused with those it has', async () => {
  const model = await openOnnxModel(modelFile('mobilebert'), { threads: 1, contextLength: 0 });
  try {
    const known = async (kind: 'logits' | 'resid_mid') =>
      await model
        .forward({ tokens: Int32Array.of(3, 4), capture: [{ site: kind === 'logits' ? { kind } : { kind, layer: 0 } }] })
        .then(
          () => [],
          (error: unknown) =>
            error instanceof LoupeError && error.code === 'E_SITE_UNKNOWN' ? error.parts.details?.['known'] : error,
        );
    for (const kind of ['logits', 'resid_mid'] as const) {
      const names = await known(kind);
      expect(names).toEqual(expect.arrayContaining(['embed', 'resid_post.LAYER', 'pattern.LAYER']));
      expect(names).not.toContain('logits');
      expect(names).not.toContain('resid_mid.LAYER');
      // Its attention and its feed-forward blocks are added to the stream in one.
      expect(names).not.toContain('attn_out.LAYER');
    }
  } finally {
    await model.dispose();
  }
});
