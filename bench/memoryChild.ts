/** A process of its own: `memoryChild MODEL WORKER TEXT` explains one prompt with the engine service and prints what memory it took. */
import { EngineService } from '../src/engine/service.ts';

const contextLength = 2048;

async function main([file = '', workerFile = '', text = '']: readonly string[]): Promise<void> {
  const idleBytes = process.memoryUsage.rss();
  const service = new EngineService({ workerFile });
  const call = { requestId: 'memory', signal: new AbortController().signal };
  const { layers, kvHeads, hidden, heads, fileBytes } = await service.methods.load(call, file, { threads: 1, contextLength });
  await service.methods.explain(call, {
    prompt: { text, format: 'text', mode: 'raw' },
    method: 'occlusion',
    target: { kind: 'next' },
    granularity: 'sentence',
    maxTokens: 8,
    seed: 0,
    progressive: true,
  });
  await service.dispose();
  // Keys and values, in F32, of every position of the context.
  const keyValueBytes = 2 * 4 * contextLength * layers * kvHeads * (hidden / heads);
  const report = { modelBytes: fileBytes, keyValueBytes, idleBytes, peakBytes: process.resourceUsage().maxRSS * 1024 };
  process.stdout.write(JSON.stringify(report));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
