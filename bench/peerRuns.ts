/**
 * Our side of `bench/peers.py`: `peerRuns MODEL THREADS` opens the model, then runs what each line of standard input names,
 * `TOKENS forward|forward+backward PRECISION`, and answers with one JSON line: CPU and wall time, ms.
 */
import { createInterface } from 'node:readline';
import { type GradientRuns, openGradientRuns } from './gradientRuns.ts';
import { sample } from './measure.ts';

async function main([file = '', threads = '1']: readonly string[]): Promise<void> {
  let open = null as { readonly count: number; readonly runs: GradientRuns } | null;
  for await (const line of createInterface({ input: process.stdin })) {
    const [tokens = '', pass, precision] = line.split(' ');
    const count = Number(tokens);
    if (open?.count !== count) {
      await open?.runs.model.dispose();
      open = { count, runs: await openGradientRuns(file, count, { threads: Number(threads), kernel: 'auto' }) };
    }
    const { runs } = open;
    const asked = precision === 'dequantised' ? 'dequantised' : 'as-served';
    const { cpu, wall } = await sample(() => (pass === 'forward' ? runs.forward(asked) : runs.gradient(asked)));
    process.stdout.write(`${JSON.stringify({ cpu, wall })}\n`);
  }
  await open?.runs.model.dispose();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
