/**
 * Tries the native libraries in a child process first: a build that crashes on this machine (wrong processor,
 * damaged file, shifted struct layout) must end that child and not the engine.
 */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runtimeBroken } from '../../shared/errorCatalog.ts';
import type { LibraryFiles } from './locate.ts';

const timeoutMilliseconds = 60_000;
/** One probe per library file and modification time; concurrent callers share it. */
const probes = new Map<string, Promise<void>>();

/**
 * What the child runs, as text: it must work from any bundle, without a file of its own.
 * It loads the libraries in the order we do and calls what returns structs by value.
 */
const script = `
const { koffi: koffiPath, files } = JSON.parse(process.argv[1]);
const koffi = require(koffiPath);
koffi.load(files.ggmlBase, { global: true });
const ggml = koffi.load(files.ggml, { global: true });
const llama = koffi.load(files.llama);
const scored = files.cpu.map((file) => {
  try { return [koffi.load(file).func('int ggml_backend_score()')(), file]; } catch { return [1, file]; }
}).sort((a, b) => b[0] - a[0]);
if (ggml.func('void* ggml_backend_load(str file)')(scored[0][1]) === null) throw new Error('no processor backend fits');
llama.func('void llama_backend_init()')();
const bytes = koffi.struct('defaults', { bytes: koffi.array('uint8', 512) });
llama.func('defaults llama_context_default_params()')();
llama.func('defaults llama_model_default_params()')();
process.stdout.write('loupe-probe ' + llama.func('str llama_version()')());
`;

/** @throws E_RUNTIME_BROKEN when the child fails or crashes */
export function probeLibraries(files: LibraryFiles): Promise<void> {
  const key = [files.llama, files.ggml, files.ggmlBase].map((file) => `${file}:${statSync(file).mtimeMs}`).join('|');
  let probe = probes.get(key);
  if (probe === undefined) {
    probe = runProbe(files);
    probes.set(key, probe);
    probe.catch(() => probes.delete(key));
  }
  return probe;
}

function runProbe(files: LibraryFiles): Promise<void> {
  const koffi = createRequire(import.meta.url).resolve('koffi');
  // ELECTRON_RUN_AS_NODE: inside the editor, execPath is the editor itself.
  const env: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  delete env.NODE_OPTIONS;
  delete env.VSCODE_INSPECTOR_OPTIONS;
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['-e', script, JSON.stringify({ koffi, files })],
      { env, timeout: timeoutMilliseconds, windowsHide: true },
      (error, output, errors) => {
        if (error === null && output.includes('loupe-probe ')) return resolve();
        const signal = error?.signal ?? null;
        const lastLine =
          errors
            .trim()
            .split('\n')
            .find((line) => /Error/.test(line)) ??
          error?.message ??
          'no answer';
        reject(runtimeBroken(signal === null ? lastLine : `trying them in a separate process ended it with ${signal}`));
      },
    );
  });
}
