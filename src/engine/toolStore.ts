/** Files that tools keep for a model, in the user's cache folder, by the digest of the model's file. */
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ToolStore } from '../analysis/tools/tool.ts';
import type { ModelInfo } from '../model/model.ts';
import { fileError, writeAtomically } from '../analysis/atomicFile.ts';

/** `PROMPT_LOUPE_CACHE`, or the system's own place for what can be made again. */
function cacheFolder(): string {
  const { PROMPT_LOUPE_CACHE: own, XDG_CACHE_HOME: cache, LOCALAPPDATA: local } = process.env;
  if (own !== undefined && own !== '') return own;
  if (cache !== undefined && cache !== '') return join(cache, 'prompt-loupe');
  if (process.platform === 'win32' && local !== undefined) return join(local, 'prompt-loupe');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'prompt-loupe');
  return join(homedir(), '.cache', 'prompt-loupe');
}

/** A model on a server, whose file's digest nobody knows, is told apart by its address and name. */
export function toolStore({ sha256, file, name }: Pick<ModelInfo, 'sha256' | 'file' | 'name'>): ToolStore {
  const digest =
    sha256 === ''
      ? createHash('sha256')
          .update(JSON.stringify([file, name]))
          .digest('hex')
      : sha256;
  const folder = () => join(cacheFolder(), digest.slice(0, 32));
  return {
    read: async (name) => {
      try {
        return await readFile(join(folder(), name));
      } catch {
        // Not there, or not readable: what is kept here can be made again.
        return null;
      }
    },
    ready: () => makeFolder(folder()),
    write: async (name, bytes) => {
      await makeFolder(folder());
      await writeAtomically(join(folder(), name), (append) => append(bytes));
    },
  };
}

/** @throws E_DISK_FULL, E_OUTPUT_UNWRITABLE */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeWithParents(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw fileError(folder, error);
  }
}

/** Step by step: Node's own `recursive` never ends where a system refuses a folder as not found (/proc). */
async function makeWithParents(folder: string, hasParents = false): Promise<void> {
  const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined);
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || hasParents || dirname(folder) === folder) throw error;
    await makeWithParents(dirname(folder));
    await makeWithParents(folder, true);
  }
}
