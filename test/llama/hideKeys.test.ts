import { expect, test } from 'vitest';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { ForwardRequest, Patch } from '../../src/model/model.ts';
import { goldenCase, goldenFile } from './golden.ts';

/** Attention of layer 1 with keys hidden in it, beside the pattern its own scores must give. */
test.each(['tiny_llama', 'tiny_qwen2', 'tiny_qwen3', 'tiny_gpt2'])(
  '%s: hidden keys get nothing, the rest is shared out',
  async (name) => {
    const model = await openLlamaModel(goldenFile(name, 'model.gguf'), { threads: 1, contextLength: 64 });
    try {
      const tokens = Int32Array.from(goldenCase(name).ids);
      const T = tokens.length;
      const H = model.info.heads;
      const site = { kind: 'scores', layer: 1 } as const;
      const pattern = { kind: 'pattern', layer: 1 } as const;
      const read: ForwardRequest['read'] = [{ position: T - 1, ids: [1, 2] }];
      const run = async (patches: readonly Patch[]) => {
        const result = await model.forward({ tokens, patches, capture: [{ site }, { site: pattern }], read });
        const data = (which: string) => result.captured.get(which)?.data ?? new Float32Array();
        return {
          scores: data('scores.1'),
          pattern: data('pattern.1'),
          logits: result.read[0]?.logits,
          nonFinite: result.nonFinite,
        };
      };
      const keys = [0, 2];
      const hide: Patch = { site, operation: { kind: 'hide', keys } };
      const [plain, hidden] = [await run([]), await run([hide])];
      expect(hidden.nonFinite).toBeNull();
      for (let head = 0; head < H; head++) {
        for (let query = 0; query < T; query++) {
          const row = (head * T + query) * T;
          const seen = Array.from({ length: query + 1 }, (_, key) => key).filter((key) => key === query || !keys.includes(key));
          // Scores before the patch, softmax over the keys that are still seen.
          const sum = seen.reduce((total, key) => total + Math.exp(plain.scores[row + key] as number), 0);
          for (let key = 0; key < T; key++) {
            const share = seen.includes(key) ? Math.exp(plain.scores[row + key] as number) / sum : 0;
            expect(hidden.pattern[row + key]).toBeCloseTo(share, 5);
            if (!seen.includes(key))
              expect([hidden.pattern[row + key], hidden.scores[row + key]]).toEqual([0, Number.NEGATIVE_INFINITY]);
          }
          expect(hidden.pattern.subarray(row, row + T).reduce((total, value) => total + value, 0)).toBeCloseTo(1, 5);
        }
      }
      expect(hidden.logits).not.toEqual(plain.logits);

      // Chosen queries and heads only; the run after it is the plain one again.
      const chosen = await run([{ ...hide, positions: [T - 1], heads: [H - 1] }]);
      const changed = [...chosen.pattern.keys()].filter((at) => chosen.pattern[at] !== plain.pattern[at]);
      expect(new Set(changed.map((at) => Math.floor(at / T)))).toEqual(new Set([(H - 1) * T + T - 1]));
      // The last token has nobody to be hidden from.
      expect((await run([{ site, operation: { kind: 'hide', keys: [T - 1] } }])).logits).toEqual(plain.logits);
      expect(await run([])).toEqual(plain);
      await expect(run([{ site: pattern, operation: { kind: 'hide', keys } }])).rejects.toMatchObject({ code: 'E_SITE_UNKNOWN' });
      await expect(run([{ site, operation: { kind: 'hide', keys: [T] } }])).rejects.toMatchObject({ code: 'E_TOKEN_RANGE' });
    } finally {
      await model.dispose();
    }
  },
);
