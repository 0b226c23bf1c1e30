import { open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { modelEmpty, modelIsDirectory, modelNotFound, modelSplit, modelUnreadable } from '../../shared/errorCatalog.ts';
import { checkModelMetadata } from './checkModelMetadata.ts';
import { metadataInteger } from './ggufHeader.ts';
import type { GgufHeader } from './ggufHeader.ts';
import { readGgufHeader } from './readGgufHeader.ts';

/**
 * Reads and checks a model file before llama.cpp sees it, so that hostile or damaged files end in a clear error
 * instead of an abort in native code. Reads the header only; memory use does not depend on what the file claims.
 * @throws E_MODEL_NOT_FOUND, E_MODEL_IS_DIRECTORY, E_MODEL_UNREADABLE, E_MODEL_EMPTY, E_MODEL_TRUNCATED, E_MODEL_MAGIC,
 * E_MODEL_CORRUPT, E_MODEL_SPLIT
 */
export async function checkGgufFile(path: string): Promise<GgufHeader> {
  const file = resolve(path);
  const header = await readHeaderOf(file);
  const parts = metadataInteger(header, 'split.count') ?? 0;
  if (parts > 1) await checkParts(file, header, parts);
  else checkModelMetadata(file, header);
  return header;
}

async function readHeaderOf(file: string): Promise<GgufHeader> {
  const status = await stat(file).catch((error: unknown) => {
    throw fileError(file, error);
  });
  if (status.isDirectory()) throw modelIsDirectory(file);
  // Opening a pipe or a device could wait for ever.
  if (!status.isFile()) throw modelUnreadable(file, 'it is not a regular file');
  if (status.size === 0) throw modelEmpty(file);
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw fileError(file, error);
  });
  try {
    return await readGgufHeader(handle, file, status.size);
  } catch (error) {
    throw isSystemError(error) ? fileError(file, error) : error;
  } finally {
    await handle.close();
  }
}

/** llama.cpp opens the other parts itself, by name; each must be there and sound. */
async function checkParts(file: string, header: GgufHeader, parts: number): Promise<void> {
  const part = metadataInteger(header, 'split.no') ?? 0;
  if (part !== 0) throw modelSplit(file, `this is part ${part + 1} of ${parts}`);
  const stem = /^(.*)-00001-of-(\d{5})\.gguf$/.exec(basename(file));
  const count = String(parts).padStart(5, '0');
  if (stem === null || stem[2] !== count) {
    throw modelSplit(file, `its name must end in -00001-of-${count}.gguf for the other parts to be found`);
  }
  checkModelMetadata(file, header);
  for (let number = 2; number <= parts; number++) {
    const name = `${stem[1] ?? ''}-${String(number).padStart(5, '0')}-of-${count}.gguf`;
    const sibling = join(dirname(file), name);
    const present = await stat(sibling).then(
      (status) => status.isFile(),
      () => false,
    );
    if (!present) throw modelSplit(file, `part ${number} of ${parts}, ${name}, is missing`);
    await readHeaderOf(sibling);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function fileError(file: string, error: unknown) {
  const code = isSystemError(error) ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return modelNotFound(file);
  if (code === 'EISDIR') return modelIsDirectory(file);
  if (code === 'EACCES' || code === 'EPERM') return modelUnreadable(file, 'permission is denied');
  return modelUnreadable(file, error instanceof Error ? error.message : String(error));
}
