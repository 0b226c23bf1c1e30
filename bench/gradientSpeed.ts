import type { Benchmark, Measurement } from './benchmark.ts';
import { type GradientRuns, openGradientRuns } from './gradientRuns.ts';
import { cpuRatio, interleave, median, type Sample } from './measure.ts';

const lengths = [50, 200, 500] as const;
const rounds = 5;

/**
 * A gradient of a next-token logit by the input embeddings, warm: on ggml's own operators and with our kernel, as served and
 * dequantised, against llama.cpp's plain pass and against our own forward pass. `bench/peers.py` measures PyTorch on the same ids.
 */
export const gradientSpeed: Benchmark = {
  id: 'gradient',
  title: 'Gradient of a next-token logit by the embeddings, warm',
  async run({ model }) {
    const measurements: Measurement[] = [];
    for (const threads of [1, 2]) {
      for (const count of lengths) {
        const label = `${count} tokens, ${threads} thread${threads === 1 ? '' : 's'}`;
        await using(openGradientRuns(model, count, { threads, kernel: 'ggml' }), async (runs) => {
          const served = await interleave(rounds, () => runs.gradient('as-served'), runs.decode);
          measurements.push(
            { quantity: `${label}: decode`, value: cpu(served.b), unit: 'CPU ms' },
            {
              quantity: `${label}: as served on ggml's operators / decode`,
              value: cpuRatio(served),
              unit: '×',
              goal: { atMost: 2.4 },
            },
          );
        });
        await using(openGradientRuns(model, count, { threads, kernel: 'auto' }), async (runs) => {
          const served = await interleave(rounds, () => runs.gradient('as-served'), runs.decode);
          const copy = await interleave(rounds, () => runs.forward('as-served'), runs.decode);
          const own = await interleave(
            rounds,
            () => runs.gradient('dequantised'),
            () => runs.forward('dequantised'),
          );
          const quick = await interleave(rounds, runs.decode, () => runs.forward('dequantised'));
          measurements.push(
            { quantity: `${label}: as served with the kernel / decode`, value: cpuRatio(served), unit: '×' },
            {
              quantity: `${label}: recording and our copy of the pass / decode`,
              value: cpuRatio(copy),
              unit: '×',
              goal: { atMost: 1.1 },
            },
            { quantity: `${label}: dequantised forward`, value: cpu(own.b), unit: 'CPU ms' },
            { quantity: `${label}: dequantised forward + backward`, value: cpu(own.a), unit: 'CPU ms' },
            { quantity: `${label}: dequantised / its own forward`, value: cpuRatio(own), unit: '×', goal: { atMost: 2.3 } },
            {
              quantity: `${label}: decode / dequantised forward`,
              value: cpuRatio(quick),
              unit: '×',
              ...(count === 200 ? { goal: { atLeast: 2 } } : {}),
            },
          );
          if (count > 200) return;
          const path = await interleave(
            1,
            () => runs.path('dequantised', 20),
            () => runs.forward('dequantised'),
          );
          measurements.push({
            quantity: `${label}: integrated gradients, 20 steps / dequantised forward`,
            value: cpuRatio(path),
            unit: '×',
            goal: { atMost: 44 },
          });
        });
      }
    }
    return measurements;
  },
};

/** The first gradient of a prompt the model has not seen, and the very first one after loading, which also unpacks the weights. */
export const firstGradient: Benchmark = {
  id: 'first-gradient',
  title: 'First gradient of a prompt, as served on ggml’s operators',
  async run({ model }) {
    const measurements: Measurement[] = [];
    for (const count of lengths) {
      await using(openGradientRuns(model, count, { threads: 1, kernel: 'ggml' }), async (runs) => {
        const after = await interleave(0, runs.decode, () => runs.gradient('as-served'));
        void after;
        const other = await interleave(rounds, (round) => anotherPrompt(runs, round), runs.decode);
        measurements.push({
          quantity: `${count} tokens: a new prompt / decode`,
          value: cpuRatio(other),
          unit: '×',
          goal: { atMost: 3.3 },
        });
      });
    }
    return measurements;
  },
};

function anotherPrompt({ model, tokens }: GradientRuns, round: number): Promise<unknown> {
  const changed = tokens.map((id) => (id + 17 * round) % model.info.vocabulary);
  return model.gradient({
    tokens: changed,
    targets: [{ kind: 'logit', terms: [{ position: tokens.length - 1, id: 5, weight: 1 }] }],
    at: [{ kind: 'embed' }],
  });
}

function cpu(samples: readonly Sample[]): number {
  return median(samples.map((sample) => sample.cpu));
}

async function using(opening: Promise<GradientRuns>, use: (runs: GradientRuns) => Promise<void>): Promise<void> {
  const runs = await opening;
  try {
    await use(runs);
  } finally {
    await runs.model.dispose();
  }
}
