// npm run bench [id …]: builds the engine and the benchmarks, runs them one after another, prints a table and writes bench/results/.
// Benchmarks report ratios within one run; none of them is a test.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { outputNamed } from '../scripts/build.mjs';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);

// `--build-only`: for bench/peers.py, which starts dist/bench/peerRuns.cjs itself.
const buildOnly = process.argv.includes('--build-only');
const engine = outputNamed('engine');
await build(engine);
// The panels that are scrolled.
await build(outputNamed('explain'));
await build({
  ...engine,
  // The driver of the browser reads files of its own.
  external: [...engine.external, 'playwright-core'],
  entryPoints: {
    main: 'bench/main.ts',
    memoryChild: 'bench/memoryChild.ts',
    gradientMemoryChild: 'bench/gradientMemoryChild.ts',
    onnxMemoryChild: 'bench/onnxMemoryChild.ts',
    peerRuns: 'bench/peerRuns.ts',
  },
  outdir: 'dist/bench',
});

if (buildOnly) process.exit(0);

// A process of its own: the build's memory and garbage are not measured.
const child = spawn(process.execPath, ['dist/bench/main.cjs', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
