import { streamVectors } from '../src/analysis/lens/lensVectors.ts';
import { logitLens } from '../src/analysis/lens/logitLens.ts';
import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

const length = 100;

/**
 * The logit lens of every layer and position of 100 tokens (five tokens, rank, entropy and divergence at each place), against what it
 * cannot do without: one forward pass, and one product with the unembedding for each place, here as many whole calls of `unembed` that
 * read nothing.
 */
export const lensCost: Benchmark = {
  id: 'lens',
  title: `Logit lens of all layers and positions, ${length} tokens`,
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const { tokens } = await benchPrompt(model.tokenizer, length);
      const { layers: count, hidden } = model.info;
      const positions = Array.from(tokens, (_, position) => position);
      const layers = Array.from({ length: count }, (_, layer) => layer);
      const lens = async () => {
        const vectors = await streamVectors(model, 'resid_post', { tokens, layers, positions });
        const next = positions.map((position) => tokens[position + 1] ?? null);
        await logitLens(model, vectors, { targets: positions.map(() => 0), next, top: 5 });
      };
      const forward = () => model.forward({ tokens, read: [{ position: length - 1, ids: [0] }] });
      const { rows } = await streamVectors(model, 'resid_post', { tokens, layers: [0], positions });
      const bare = rows[0]?.vectors ?? new Float32Array(length * hidden);
      const products = async () => {
        for (let layer = 0; layer < count; layer += 1) await model.unembed({ rows: bare, read: positions.map(() => ({})) });
      };
      const needed = await interleave(3, lens, async () => {
        await forward();
        await products();
      });
      const single = await interleave(3, lens, forward);
      return [
        { quantity: 'one forward pass', value: median(single.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'forward pass and unembedding products', value: median(needed.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'lens', value: median(needed.a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'lens by a forward pass', value: cpuRatio(single), unit: '×' },
        { quantity: 'lens by forward pass and products', value: cpuRatio(needed), unit: '×', goal: { atMost: 1.2 } },
      ];
    } finally {
      await model.dispose();
    }
  },
};
