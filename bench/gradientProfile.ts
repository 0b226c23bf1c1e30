import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Precision } from '../src/model/model.ts';
import type { Benchmark, Measurement } from './benchmark.ts';

const count = 200;
const rounds = 3;
/** Operators that take less than this share of their pass are added up. */
const smallest = 0.02;

/** Where the time of a gradient goes: each node run alone, the least of three rounds, summed by operator. */
export const gradientProfile: Benchmark = {
  id: 'gradient-profile',
  title: `Where the time goes: gradient of ${count} tokens, by operator`,
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    const measurements: Measurement[] = [];
    try {
      const tokens = Int32Array.from({ length: count }, (_, index) => (index * 7919 + 1013) % model.info.vocabulary);
      for (const precision of ['as-served', 'dequantised'] as const) {
        measurements.push(...(await profiled(model, tokens, precision)));
      }
    } finally {
      await model.dispose();
    }
    return measurements;
  },
};

async function profiled(
  model: Awaited<ReturnType<typeof openLlamaModel>>,
  tokens: Int32Array,
  precision: Precision,
): Promise<Measurement[]> {
  const request = {
    tokens,
    precision,
    targets: [{ kind: 'logit' as const, terms: [{ position: count - 1, id: 5, weight: 1 }] }],
    at: [{ kind: 'embed' as const }],
  };
  await model.gradient(request);
  const { operators, nodes } = await model.profileGradient(request, leastTime);
  const totals = new Map<string, number>();
  for (const { tensor, pass, milliseconds } of nodes) {
    const key = `${pass} ${operators[tensor.operator] ?? '?'}`;
    totals.set(key, (totals.get(key) ?? 0) + milliseconds);
  }
  const rows: Measurement[] = [];
  for (const pass of ['forward', 'backward']) {
    const own = [...totals].filter(([key]) => key.startsWith(pass)).sort((a, b) => b[1] - a[1]);
    const sum = own.reduce((total, [, milliseconds]) => total + milliseconds, 0);
    rows.push({ quantity: `${precision}, ${pass}`, value: sum, unit: 'ms' });
    for (const [key, milliseconds] of own) {
      if (milliseconds < smallest * sum) continue;
      rows.push({ quantity: `  ${key.slice(pass.length + 1)}`, value: (100 * milliseconds) / sum, unit: '%' });
    }
  }
  return rows;
}

/** Wall-clock: one thread computes, and a node is too short for the processor's own clock. */
function leastTime(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
