/** The gradient goldens describe the network that llama.cpp runs: every site has PyTorch's value. */
import { expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import { isLayerSite, type Site, siteName } from '../../../src/model/sites.ts';
import { relativeDifference } from '../golden.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';

/** Relative to the site's largest number. ggml's GELU reads an F16 table. */
const tolerance: Partial<Record<GradientFamily, number>> = { gemma2: 2e-3, gemma3: 2e-3, gpt2: 2e-3 };
const usualTolerance = 1e-5;

function siteOf(name: string): Site {
  const [kind = '', layer] = name.split('.');
  if (isLayerSite(kind)) return { kind, layer: Number(layer) };
  if (kind === 'embed' || kind === 'final_norm') return { kind };
  throw new Error(`${name} is no site`);
}

for (const family of gradientFamilies) {
  test(`${family}: logits and all sites equal PyTorch's`, async () => {
    const golden = readGradientGolden(family);
    const model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0 });
    try {
      const capture = golden.sites.filter((name) => name !== 'logits').map((name) => ({ site: siteOf(name) }));
      const result = await model.forward({ tokens: golden.tokens, logits: 'all', capture });
      const differences = capture.map(({ site }) => {
        const name = siteName(site);
        const expected = golden.forward(name);
        const captured = result.captured.get(name);
        const data = captured?.data ?? new Float32Array();
        expect(captured?.shape, name).toEqual(expected.shape);
        return [name, relativeDifference(unmasked(data, expected.data), unmasked(expected.data, data))] as const;
      });
      const logits = relativeDifference(result.logits?.values ?? [], golden.forward('logits').data);
      const limit = tolerance[family] ?? usualTolerance;
      const beyond = [['logits', logits] as const, ...differences].filter(([, difference]) => !(difference <= limit));
      expect(beyond).toEqual([]);
    } finally {
      await model.dispose();
    }
  });
}

/** Masked scores are −∞ in both: as 0 they neither differ nor count for the scale; where only one is masked the other stays. */
function unmasked(values: Float32Array, others: Float32Array): Float32Array {
  return values.map((value, index) => (value === Number.NEGATIVE_INFINITY && others[index] === value ? 0 : value));
}
