import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Model, RowResult } from '../src/model/model.ts';
import type { Benchmark, Measurement } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

const length = 200;
const units = 32;
const rounds = 2;

/** Leaving out each of 32 units of a 200-token prompt: through the shared prefix, against 32 whole forward passes. */
export const occlusionReuse: Benchmark = {
  id: 'occlusion-reuse',
  title: 'Exhaustive occlusion, 32 units of 200 tokens: prefix reuse against 32 full decodes',
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      return await reuseOf(model);
    } finally {
      await model.dispose();
    }
  },
};

/** @param label what stands before each quantity */
export async function reuseOf(model: Model, label = ''): Promise<Measurement[]> {
  const { tokens } = await benchPrompt(model.tokenizer, length);
  const variants = Array.from({ length: units }, (_, unit) => {
    const from = Math.floor((unit * length) / units);
    const to = Math.floor(((unit + 1) * length) / units);
    const kept = Int32Array.from([...tokens.subarray(0, from), ...tokens.subarray(to)]);
    return { tokens: kept, read: [{ position: kept.length - 1, ids: [0, 1, 2, 3, 1000, 20_000], top: 10 }] };
  });
  const warmUp = variants.slice(0, 2);
  let reused: (readonly RowResult[])[] = [];
  let full: (readonly RowResult[])[] = [];
  const runs = await interleave(
    rounds,
    async (round) => {
      full = [];
      for (const variant of round === 0 ? warmUp : variants) full.push((await model.forward(variant)).read);
    },
    async (round) => {
      reused = (await model.forwardVariants({ variants: round === 0 ? warmUp : variants })).map(({ read }) => read);
    },
  );
  const differing = full.filter((rows, index) => JSON.stringify(bits(rows)) !== JSON.stringify(bits(reused[index] ?? []))).length;
  return [
    { quantity: `${label}32 full decodes`, value: median(runs.a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
    { quantity: `${label}with prefix reuse`, value: median(runs.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
    { quantity: `${label}variants that differ in any bit`, value: differing, unit: '', goal: { atMost: 0 } },
    { quantity: `${label}faster by`, value: cpuRatio(runs), unit: '×', goal: { atLeast: 1.8 } },
  ];
}

/** Everything a row says, with its floats as bits: −0 and NaN count as what they are. */
function bits(rows: readonly RowResult[]): unknown {
  return rows.map(({ logSumExp, logits, ranks, top }) => [
    Array.from(new Uint32Array(Float64Array.of(logSumExp).buffer)),
    Array.from(new Uint32Array(logits.slice().buffer)),
    Array.from(ranks),
    top.map(({ id, logit }) => [id, ...new Uint32Array(Float64Array.of(logit).buffer)]),
  ]);
}
