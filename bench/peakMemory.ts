import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openWorkerModel } from '../src/engine/workerModel.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';

/** What `memoryChild.ts` prints. */
interface MemoryReport {
  readonly modelBytes: number;
  readonly keyValueBytes: number;
  readonly peakBytes: number;
  readonly idleBytes: number;
}

/** The most memory a fresh engine ever holds while it loads the model and explains a 200-token prompt. */
export const peakMemory: Benchmark = {
  id: 'peak-memory',
  title: 'Peak resident memory of a fresh engine that explains 200 tokens',
  async run({ model, workerFile, memoryChild }) {
    const counter = await openWorkerModel(model, { workerFile, threads: 1, contextLength: 256 });
    const { text } = await benchPrompt(counter.tokenizer, 200);
    await counter.dispose();
    const child = spawn(process.execPath, [memoryChild, model, workerFile, text], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the measured process ended with ${code}`);
    const { modelBytes, keyValueBytes, peakBytes, idleBytes } = JSON.parse(output) as MemoryReport;
    const megabytes = (count: number) => count / 2 ** 20;
    return [
      { quantity: 'model file', value: megabytes(modelBytes), unit: 'MB' },
      { quantity: 'key/value cache', value: megabytes(keyValueBytes), unit: 'MB' },
      { quantity: 'process before loading', value: megabytes(idleBytes), unit: 'MB' },
      { quantity: 'peak', value: megabytes(peakBytes), unit: 'MB' },
      {
        quantity: 'peak above model and cache',
        value: megabytes(peakBytes - modelBytes - keyValueBytes),
        unit: 'MB',
        goal: { atMost: 150 },
      },
    ];
  },
};
