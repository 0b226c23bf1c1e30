/** Every family, every target, every site: against PyTorch on the same F32 weights. */
import { expect, test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';
import { maximumDifference, relativeDifference } from '../golden.ts';

/** ggml's GELU reads a table of half precision (golden/README.md). */
const tolerances: Partial<Record<GradientFamily, number>> = { gemma2: 2e-3, gemma3: 2e-3, gpt2: 2e-3 };
const exact = 1e-4;

for (const family of gradientFamilies) {
  const golden = readGradientGolden(family);
  const tolerance = tolerances[family] ?? exact;

  const withModel = async (use: (model: Model) => Promise<void>) => {
    const model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0 });
    try {
      await use(model);
    } finally {
      await model.dispose();
    }
  };

  test.each([...golden.targets.keys()])(`${family}: d %s`, async (name) => {
    await withModel(async (model) => {
      const target = golden.targets.get(name);
      if (target === undefined) throw new Error(`no target ${name}`);
      const sites = golden.sitesOf(name);
      const { targets } = await model.gradient({ tokens: golden.tokens, targets: [target], at: sites.map(parseSiteName) });
      const value = golden.value(name);
      expect(Math.abs((targets[0]?.value ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)));
      const differences = sites.map((site) => {
        const { shape, data } = golden.gradient(name, site);
        const found = targets[0]?.gradients.get(site);
        expect(found?.shape, site).toEqual(shape);
        return { site, difference: relativeDifference(found?.data ?? [], data) };
      });
      expect(differences.filter(({ difference }) => !(difference <= tolerance))).toEqual([]);
    });
  });

  test(`${family}: targets that share a forward pass, and values from the same pass`, async () => {
    await withModel(async (model) => {
      const targets = [...golden.targets.values()];
      const at = ['embed', 'resid_mid.1', 'pattern.0'].map(parseSiteName);
      const capture = golden.sites.filter((site) => site !== 'logits').map(parseSiteName);
      const together = await model.gradient({ tokens: golden.tokens, targets, at, capture });
      for (const [index, target] of targets.entries()) {
        const alone = await model.gradient({ tokens: golden.tokens, targets: [target], at });
        // Alone, fewer rows of logits are computed, with other kernels.
        for (const [site, { data }] of alone.targets[0]?.gradients ?? []) {
          const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
          const shared = together.targets[index]?.gradients.get(site)?.data ?? [];
          expect(maximumDifference(shared, data)).toBeLessThanOrEqual(1e-5 * scale);
        }
      }
      const { captured } = await model.forward({
        tokens: golden.tokens,
        capture: capture.map((site) => ({ site })),
        logits: 'all',
      });
      for (const [site, tensor] of captured) expect(together.captured.get(site), site).toEqual(tensor);
    });
  });
}
