import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { outputNamed } from '../../scripts/build.mjs';
import { isAlive } from './isAlive.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let bundle: Promise<string> | undefined;

/**
 * The engine's bundle, built from the sources as they are now, exactly as `npm run build` does but into a folder of this process:
 * test files run side by side, and a child must never start from a half-written file.
 */
export function engineBundle(): Promise<string> {
  bundle ??= buildEngine();
  return bundle;
}

async function buildEngine(): Promise<string> {
  // Inside the repository, so that the bundle finds node_modules.
  const outdir = path.join(root, 'tmp', `engine-${process.pid}`);
  removeLeftOvers(path.dirname(outdir));
  await build({ ...outputNamed('engine'), absWorkingDir: root, outdir });
  return path.join(outdir, 'engine.cjs');
}

/** Bundles of processes that are gone: a test process is ended before it could clean up. */
function removeLeftOvers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /^engine-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
