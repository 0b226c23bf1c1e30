/** Runs all benchmarks, or those named on the command line; prints the table and writes it as JSON too. */
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { benchmarks } from './benchmarks.ts';
import { resultLines, runBenchmark } from './resultTable.ts';

async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.filter((id) => !benchmarks.some((benchmark) => benchmark.id === id));
  if (unknown.length > 0) {
    throw new Error(`no benchmark ${unknown.join(', ')}; there are: ${benchmarks.map(({ id }) => id).join(', ')}`);
  }
  const root = path.resolve(__dirname, '../..');
  const paths = {
    root,
    model: path.join(root, 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf'),
    workerFile: path.join(root, 'dist', 'engine.cjs'),
    memoryChild: path.join(__dirname, 'memoryChild.cjs'),
    onnxMemoryChild: path.join(__dirname, 'onnxMemoryChild.cjs'),
    gradientMemoryChild: path.join(__dirname, 'gradientMemoryChild.cjs'),
  };
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown processor';
  const machine = { processor, cores: os.cpus().length, node: process.version, load: os.loadavg()[0] ?? 0 };
  console.log(
    `${processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(1)}; one native thread unless said otherwise\n`,
  );
  const results = [];
  for (const benchmark of benchmarks.filter(({ id }) => asked.length === 0 || asked.includes(id))) {
    const result = await runBenchmark(benchmark, paths);
    results.push(result);
    console.log(resultLines(result).join('\n'));
  }
  const folder = path.join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  const file = path.join(folder, `${date.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ date, machine, results }, null, 2)}\n`);
  console.log(`Written to ${path.relative(root, file)}`);
  if (results.some(({ failed }) => failed !== undefined)) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
