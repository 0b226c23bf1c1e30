/** The graph of ggml operators and of our kernel against the plain backward pass, operator by operator in doubles. */
import { expect, test } from 'vitest';
import { operatorRules } from '../../../src/llama/gradient/rules/ruleTable.ts';
import { plainRules } from '../../../src/llama/gradient/plain/plainRules.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import { layerSites } from '../../../src/model/sites.ts';
import { maximumDifference } from '../golden.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

test('every rule has a plain form', () => {
  expect(Object.keys(plainRules).sort()).toEqual([...operatorRules.keys()].sort());
});

// ggml's GELU reads a table of half precision: the value of a GEGLU's gate is part of its derivative.
const tolerances: Partial<Record<GradientFamily, number>> = { gemma2: 1e-3, gemma3: 1e-3 };

for (const family of gradientFamilies) {
  for (const gradientKernel of ['auto', 'ggml'] as const) {
    test(`${family}, ${gradientKernel}: graph and plain backward pass agree at every site`, async () => {
      const golden = readGradientGolden(family);
      const open = (gradientExecutor: 'graph' | 'plain') =>
        openLlamaModel(golden.file, { threads: 1, contextLength: 0, gradientKernel, gradientExecutor });
      const [graph, plain] = [await open('graph'), await open('plain')];
      try {
        const names = golden.sites.filter((site) => site !== 'logits');
        expect(layerSites.every((kind) => names.includes(`${kind}.0`) || kind === 'mlp_post')).toBe(true);
        const targets = ['span', 'cotangent-pattern.1'].flatMap((name) => golden.targets.get(name) ?? []);
        const request = { tokens: golden.tokens, targets, at: names.map(parseSiteName) };
        const [fast, slow] = [await graph.gradient(request), await plain.gradient(request)];
        for (const [index, { value, gradients }] of slow.targets.entries()) {
          expect(fast.targets[index]?.value).toBe(value);
          for (const [site, { shape, data }] of gradients) {
            const found = fast.targets[index]?.gradients.get(site);
            expect(found?.shape).toEqual(shape);
            const size = data.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), 0);
            expect(maximumDifference(found?.data ?? [], data), site).toBeLessThanOrEqual((tolerances[family] ?? 2e-5) * size);
          }
        }
      } finally {
        await graph.dispose();
        await plain.dispose();
      }
    });
  }
}
