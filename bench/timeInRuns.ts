import { type Sample, sample } from './measure.ts';

type Run = (this: object, ...given: unknown[]) => Promise<unknown>;

export interface TimedRuns extends Sample {
  /** Processor time inside ONNX Runtime's `run`, milliseconds, its conversion of results included. */
  readonly inRuns: number;
}

/** Times what is done, and how much of it passes inside ONNX Runtime. Nothing else may run a session meanwhile. */
export async function timeInRuns(work: () => Promise<unknown>): Promise<TimedRuns> {
  const { InferenceSession } = await import('onnxruntime-node');
  const sessions = (InferenceSession as unknown as { readonly prototype: { run: Run } }).prototype;
  const original: Run = sessions.run;
  let inRuns = 0;
  sessions.run = async function (...given) {
    let result: unknown;
    const { cpu } = await sample(async () => {
      result = await original.apply(this, given);
    });
    inRuns += cpu;
    return result;
  };
  try {
    const whole = await sample(work);
    return { ...whole, inRuns };
  } finally {
    sessions.run = original;
  }
}
