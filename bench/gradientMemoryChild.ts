/** A process of its own: `gradientMemoryChild MODEL TOKENS PRECISION WEIGHT_BYTES` takes one gradient and prints what memory it took. */
import { openGradientRuns } from './gradientRuns.ts';

async function main([file = '', count = '', precision = '', weightBytes = '']: readonly string[]): Promise<void> {
  const runs = await openGradientRuns(file, Number(count), {
    threads: 1,
    kernel: 'auto',
    weightBytes: weightBytes === 'default' ? undefined : Number(weightBytes),
  });
  const loadedBytes = process.memoryUsage.rss();
  await runs.gradient(precision === 'dequantised' ? 'dequantised' : 'as-served');
  await runs.model.dispose();
  process.stdout.write(JSON.stringify({ loadedBytes, peakBytes: process.resourceUsage().maxRSS * 1024 }));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
