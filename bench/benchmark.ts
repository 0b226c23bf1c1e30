/** What a benchmark is. One file each; `benchmarks.ts` lists them. */

export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Measurement {
  readonly quantity: string;
  readonly value: number;
  /** ms, CPU ms, ×, %, MB, or empty for a count. */
  readonly unit: string;
  /** Present on the numbers that are judged. */
  readonly goal?: Goal;
}

export interface BenchmarkPaths {
  /** The package. */
  readonly root: string;
  readonly model: string;
  /** `dist/engine.cjs`, which the model's thread is started from. */
  readonly workerFile: string;
  readonly memoryChild: string;
  readonly gradientMemoryChild: string;
  readonly onnxMemoryChild: string;
}

export interface Benchmark {
  readonly id: string;
  readonly title: string;
  run(paths: BenchmarkPaths): Promise<Measurement[]>;
}

export function reached({ value, goal }: Measurement): boolean | null {
  if (goal === undefined) return null;
  return value <= (goal.atMost ?? Infinity) && value >= (goal.atLeast ?? -Infinity);
}
