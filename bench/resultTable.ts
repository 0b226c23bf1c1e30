import { reached, type Benchmark, type Measurement } from './benchmark.ts';

export interface BenchmarkResult {
  readonly id: string;
  readonly title: string;
  readonly measurements: readonly Measurement[];
  /** Why it could not be measured. */
  readonly failed?: string;
}

export function resultLines({ title, measurements, failed }: BenchmarkResult): string[] {
  const rows = measurements.map((measurement) => {
    const { quantity, value, unit, goal } = measurement;
    const judged = reached(measurement);
    const verdict = judged === null ? '' : judged ? 'reached' : 'MISSED';
    return `  ${quantity.padEnd(42)}${`${rounded(value)} ${unit}`.padStart(16)}   ${goalText(goal).padEnd(14)}${verdict}`.trimEnd();
  });
  return [title, ...rows, ...(failed === undefined ? [] : [`  not measured: ${failed}`]), ''];
}

function goalText(goal: Measurement['goal']): string {
  if (goal?.atMost !== undefined) return `goal ≤ ${goal.atMost}`;
  return goal?.atLeast === undefined ? '' : `goal ≥ ${goal.atLeast}`;
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

export async function runBenchmark(benchmark: Benchmark, paths: Parameters<Benchmark['run']>[0]): Promise<BenchmarkResult> {
  const { id, title } = benchmark;
  try {
    return { id, title, measurements: await benchmark.run(paths) };
  } catch (error) {
    return { id, title, measurements: [], failed: error instanceof Error ? error.message : String(error) };
  }
}
