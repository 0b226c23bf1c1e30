import { describe, expect, it } from 'vitest';
import { openModel } from '../../src/engine/openModel.ts';
import type { Model } from '../../src/model/model.ts';
import { toolOn } from './runTool.ts';

const ids = [3, 1, 4, 1, 5, 9];

/** The fixtures are graphs without a tokenizer; tools need one to name tokens. */
function withNumbersAsTokens(model: Model): Model {
  return {
    info: model.info,
    tokenizer: {
      encode: () => Promise.resolve({ tokens: [], approximateOffsets: false }),
      decode: (given) => Promise.resolve(given.join(' ')),
      pieces: (given) => Promise.resolve(given.map((id) => `#${id}`)),
      renderChat: () => Promise.resolve(''),
      special: () => Promise.resolve({ bos: null, eos: null, endOfGeneration: [], chatTemplate: null }),
    },
    forward: (request, options) => model.forward(request, options),
    forwardVariants: (request, options) => model.forwardVariants(request, options),
    generate: (request, options) => model.generate(request, options),
    gradient: (request, options) => model.gradient(request, options),
    gradientAlong: (request, options) => model.gradientAlong(request, options),
    unembed: (request, options) => model.unembed(request, options),
    dispose: () => model.dispose(),
  };
}

describe.each(['llama_optimum_kv', 'gpt2_optimum_kv', 'llama_torch_legacy', 'llama_genai_fp32'])('%s', (name) => {
  it('is looked into by every tool as a GGUF model is', async () => {
    const opened = await openModel(`test/fixtures/onnx/${name}`, { threads: 1, contextLength: 64 });
    const model = withNumbersAsTokens(opened);
    try {
      const { read } = await model.forward({
        tokens: Int32Array.from(ids),
        read: [{ position: ids.length - 1, ids: [], top: 3 }],
      });
      const { data } = await toolOn(model, 'lens', { ids, parameters: { top: 3 } });
      const last = (data as { layers: { positions: { top: { id: number }[]; kl: number }[] }[] }).layers.at(-1)?.positions.at(-1);
      expect(last?.top.map(({ id }) => id)).toEqual(read[0]?.top.map(({ id }) => id));
      expect(last?.kl).toBeLessThan(1e-5);
      const direct = (await toolOn(model, 'direct-logit', { ids })).data as { sum: number; target: { value: number } };
      expect(Math.abs(direct.sum - direct.target.value)).toBeLessThan(1e-3);
      expect(direct.target.value).toBeCloseTo(read[0]?.top[0]?.logit ?? Number.NaN, 3);
      await toolOn(model, 'lens', { ids, parameters: { site: 'head' } });
      await toolOn(model, 'weights', { ids, parameters: { layer: 1, head: 1 } });
      await toolOn(model, 'weights', { ids, parameters: { component: 'neuron', layer: 1 } });
      await toolOn(model, 'heads', { ids, parameters: { repeat: 8 } });
      await toolOn(model, 'neurons', { ids, parameters: { top: 2 } });
    } finally {
      await model.dispose();
    }
  });
});

it('heads of a classifier are counted over all they see', async () => {
  const model = withNumbersAsTokens(await openModel('test/fixtures/onnx/bert_cls_optimum', { threads: 1, contextLength: 64 }));
  try {
    const { data } = await toolOn(model, 'heads', { ids });
    const found = (data as { heads: { entropy: number; concentration: number }[] }).heads;
    const { captured } = await model.forward({
      tokens: Int32Array.from(ids),
      capture: [{ site: { kind: 'pattern', layer: 0 } }],
    });
    const pattern = captured.get('pattern.0')?.data ?? new Float32Array();
    const rows = ids.slice(1).map((_, row) => [...pattern.subarray((row + 1) * ids.length, (row + 2) * ids.length)]);
    const mean = (of: (row: number[]) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    expect(found[0]?.entropy).toBeCloseTo(
      mean((row) => -row.reduce((sum, share) => sum + share * Math.log(share), 0)),
      5,
    );
    expect(found[0]?.concentration).toBeCloseTo(
      mean((row) => Math.max(...row)),
      5,
    );
  } finally {
    await model.dispose();
  }
});
