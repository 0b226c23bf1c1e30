/** The command line as users run it: the bundle, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { outputNamed } from '../../scripts/build.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const tinyModel = path.join(root, 'test/fixtures/golden/tiny_llama/model.gguf');

let bundle: Promise<string> | undefined;

/** Built from the sources as they are now, into a folder of this process: dist/ may be rebuilt at any time. */
function cliBundle(): Promise<string> {
  bundle ??= buildBundle();
  return bundle;
}

async function buildBundle(): Promise<string> {
  const outdir = path.join(root, 'tmp', `cli-${process.pid}`);
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  for (const name of ['cli', 'engine']) {
    await build({ ...outputNamed(name), absWorkingDir: root, outdir });
  }
  return path.join(outdir, 'cli.cjs');
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with the process and everything standard error has said so far, whenever it says more. */
  readonly onStderr?: (child: ChildProcess, stderr: string) => void;
}

/** Runs one command; one native thread unless the arguments say otherwise. */
export async function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = await startCli(argv, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    options.onStderr?.(child, stderr);
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    // What a shell says of a process that a signal ended.
    child.once('close', (code, signal) =>
      resolve({ code: signal === null ? code : 128 + constants.signals[signal], stdout, stderr }),
    );
  });
}

export async function startCli(
  argv: readonly string[],
  { stdin, environment = {}, cwd = root }: CliOptions = {},
): Promise<ChildProcess> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
  for (const name of ['FORCE_COLOR', 'NO_COLOR', 'NODE_OPTIONS', 'COLUMNS', 'COLORTERM']) {
    if (environment[name] === undefined) delete env[name];
  }
  const child = spawn(process.execPath, [await cliBundle(), ...argv], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  // A command that does not read its input closes it early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin ?? '');
  return child;
}
