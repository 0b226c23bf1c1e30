import { expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { CaptureRequest } from '../../src/model/model.ts';
import { goldenArray, goldenCase, goldenFile, maximumDifference, relativeDifference } from './golden.ts';

// Logits and residuals relative to the largest value (logits reach 47), attention absolute.
// ggml's GELU reads an F16 table, so GPT-2 differs from the reference by more.
const cases = [
  { name: 'tiny_llama', logits: 1e-6, resid: 1e-6, attention: 1e-5 },
  { name: 'tiny_qwen2', logits: 1e-6, resid: 1e-6, attention: 1e-5 },
  { name: 'tiny_qwen3', logits: 1e-6, resid: 1e-6, attention: 1e-5 },
  { name: 'tiny_gpt2', logits: 3e-4, resid: 1e-3, attention: 1e-3 },
];

for (const { name, logits, resid, attention } of cases) {
  test(`${name}: logits, residual stream and attention equal the reference`, async () => {
    const model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 0 });
    try {
      const tokens = Int32Array.from(goldenCase(name).ids);
      const { layers, hidden } = model.info;
      const layered = Array.from({ length: layers }, (_, layer) => layer);
      const capture: CaptureRequest[] = [
        ...layered.flatMap((layer): CaptureRequest[] => [
          { site: { kind: 'resid_pre', layer } },
          { site: { kind: 'pattern', layer } },
        ]),
        { site: { kind: 'resid_post', layer: layers - 1 } },
      ];
      const plain = await model.forward({ tokens, logits: 'all' });
      const result = await model.forward({ tokens, logits: 'all', capture });
      const values = result.logits?.values ?? new Float32Array();
      expect(values).toEqual(plain.logits?.values);
      expect(relativeDifference(values, goldenArray(name, 'logits.f32'))).toBeLessThanOrEqual(logits);
      const reference = goldenArray(name, 'resid.f32');
      const sites = [...layered.map((layer) => `resid_pre.${layer}`), `resid_post.${layers - 1}`];
      for (const [index, site] of sites.entries()) {
        const size = tokens.length * hidden;
        const captured = result.captured.get(site);
        expect(captured?.shape).toEqual([tokens.length, hidden]);
        expect(
          relativeDifference(captured?.data ?? [], reference.subarray(index * size, (index + 1) * size)),
        ).toBeLessThanOrEqual(resid);
      }
      const patterns = layered.map((layer) => result.captured.get(`pattern.${layer}`)?.data ?? new Float32Array());
      const joined = Float32Array.from(patterns.flatMap((pattern) => [...pattern]));
      expect(maximumDifference(joined, goldenArray(name, 'attn.f32'))).toBeLessThanOrEqual(attention);
      expect(result.nonFinite).toBeNull();
    } finally {
      await model.dispose();
    }
  });
}
