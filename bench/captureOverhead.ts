import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { CaptureRequest } from '../src/model/model.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

/** One forward pass of 200 tokens with every residual stream and every attention pattern copied out, against one without. */
export const captureOverhead: Benchmark = {
  id: 'capture-overhead',
  title: 'Forward pass with full capture (residual streams and attention), 200 tokens',
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const { tokens } = await benchPrompt(model.tokenizer, 200);
      const read = [{ position: tokens.length - 1, ids: [0] }];
      const capture: CaptureRequest[] = [{ site: { kind: 'embed' } }];
      for (let layer = 0; layer < model.info.layers; layer += 1) {
        capture.push({ site: { kind: 'resid_post', layer } }, { site: { kind: 'pattern', layer } });
      }
      let bytes = 0;
      const runs = await interleave(
        9,
        async () => {
          const { captured } = await model.forward({ tokens, read, capture });
          bytes = [...captured.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
        },
        () => model.forward({ tokens, read }),
      );
      return [
        { quantity: 'plain', value: median(runs.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'with capture', value: median(runs.a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'captured', value: bytes / 2 ** 20, unit: 'MB' },
        { quantity: 'overhead', value: (cpuRatio(runs) - 1) * 100, unit: '%', goal: { atMost: 5 } },
      ];
    } finally {
      await model.dispose();
    }
  },
};
