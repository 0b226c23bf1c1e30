import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { CaptureRequest } from '../src/model/model.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

/**
 * One forward pass of 200 tokens with every residual stream and every attention pattern copied out, against the same pass without.
 * Both read every row, as an explanation's pass over the prompt does. The second comparison shows what capture costs a caller who
 * only wants the next token: the last layer and the unembedding then run for 200 rows instead of one.
 */
export const captureOverhead: Benchmark = {
  id: 'capture-overhead',
  title: 'Forward pass with full capture (residual streams and attention), 200 tokens',
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const { tokens } = await benchPrompt(model.tokenizer, 200);
      const every = Array.from(tokens, (id, position) => ({ position, ids: [id] }));
      const last = every.slice(-1);
      const capture: CaptureRequest[] = [{ site: { kind: 'embed' } }];
      for (let layer = 0; layer < model.info.layers; layer += 1) {
        capture.push({ site: { kind: 'resid_post', layer } }, { site: { kind: 'pattern', layer } });
      }
      let bytes = 0;
      const captured = async (read: typeof every) => {
        const result = await model.forward({ tokens, read, capture });
        bytes = [...result.captured.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      };
      const same = await interleave(
        7,
        () => captured(every),
        () => model.forward({ tokens, read: every }),
      );
      const next = await interleave(
        5,
        () => captured(last),
        () => model.forward({ tokens, read: last }),
      );
      return [
        { quantity: 'captured', value: bytes / 2 ** 20, unit: 'MB' },
        { quantity: 'every row read, plain', value: median(same.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'every row read, with capture', value: median(same.a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'overhead of capture', value: (cpuRatio(same) - 1) * 100, unit: '%', goal: { atMost: 5 } },
        { quantity: 'only the next token read, plain', value: median(next.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'only the next token read, with capture', value: median(next.a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'overhead of capture and of all rows', value: (cpuRatio(next) - 1) * 100, unit: '%' },
      ];
    } finally {
      await model.dispose();
    }
  },
};
