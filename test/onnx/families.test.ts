/** Families whose layers are built another way, as torch exports them: every site where it should be, with the numbers of PyTorch. */
import { expect, test } from 'vitest';
import type { GradientTarget } from '../../src/model/gradient.ts';
import { openOnnxModel } from '../../src/onnx/openOnnxModel.ts';
import { modelFile, onnxGolden, relativeError } from './fixture.ts';

const hidden = 32;
const neurons = 48;
const layers = [0, 1] as const;

test.each<readonly [family: string, missing: readonly string[]]>([
  ['opt', []],
  ['electra', []],
  ['gemma2', []],
  // Its layers have several feed-forward blocks, and none of them alone.
  ['mobilebert', ['Not visible in every layer of this model: resid_mid, mlp_post, mlp_out.']],
])('%s', async (family, missing) => {
  const golden = onnxGolden(family);
  const tokens = Int32Array.from(golden.ids);
  const isLanguageModel = golden.kind === 'lm';
  const model = await openOnnxModel(modelFile(family), { threads: 1, contextLength: 0 });
  try {
    expect(model.info).toMatchObject({ layers: 2, heads: 4, hidden, can: { capture: true, patch: true, gradient: true } });
    expect(model.info.notes.filter((note) => note.startsWith('Not visible'))).toEqual(missing);
    const hasBlocks = missing.length === 0;
    const kinds = ['resid_pre', 'resid_post', 'pattern', ...(hasBlocks ? (['mlp_post'] as const) : [])] as const;
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
        expect(captured.get(`mlp_post.${layer}`)?.shape).toEqual([tokens.length, neurons]);
      }
    }
    compare('resid_post.0', 'h1');
    // Behind the last layer transformers shows the stream with the norm that follows, where one does.
    compare('resid_post.1', isLanguageModel ? 'r' : 'h2', !isLanguageModel);
    for (const [what, error] of Object.entries(errors)) expect(error, what).toBeLessThan(1e-4);
  } finally {
    await model.dispose();
  }
});
