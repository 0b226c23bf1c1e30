import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Benchmark, Measurement } from './benchmark.ts';

const count = 500;

interface MemoryReport {
  readonly loadedBytes: number;
  readonly peakBytes: number;
}

/** The most memory a fresh process holds while it takes one gradient of 500 tokens. */
export const gradientMemory: Benchmark = {
  id: 'gradient-memory',
  title: `Peak resident memory of a gradient, ${count} tokens`,
  async run({ model, gradientMemoryChild }) {
    const measurements: Measurement[] = [];
    for (const [precision, weights, goal] of [
      ['as-served', '0', 850],
      ['dequantised', '0', 850],
      ['as-served', 'default', null],
      ['dequantised', 'default', null],
    ] as const) {
      const words = [gradientMemoryChild, model, String(count), precision, weights];
      const { stdout } = await promisify(execFile)(process.execPath, words);
      const { loadedBytes, peakBytes } = JSON.parse(stdout) as MemoryReport;
      const label = `${precision}, weights ${weights === '0' ? 'unpacked at each use' : 'kept'}`;
      measurements.push(
        { quantity: `${label}: model loaded`, value: loadedBytes / 2 ** 20, unit: 'MB' },
        {
          quantity: `${label}: peak`,
          value: peakBytes / 2 ** 20,
          unit: 'MB',
          ...(goal === null ? {} : { goal: { atMost: goal } }),
        },
      );
    }
    return measurements;
  },
};
