import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { diskFull, outputUnwritable } from '../shared/errorCatalog.ts';

/** Appends bytes to the file that is being written. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/** Opens a file for writing; tests put a full disk here. */
export type OpenForWriting = (file: string) => Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;

const openNew: OpenForWriting = (file) => open(file, 'wx');

/**
 * Writes a file that appears whole or not at all: a temporary file beside it, flushed to the disk, then renamed over it.
 * Whatever goes wrong, the temporary file is removed and an older file of that name is unchanged.
 * @returns bytes written
 * @throws E_DISK_FULL, E_OUTPUT_UNWRITABLE, and whatever `write` throws
 */
export async function writeAtomically(
  out: string,
  write: (append: Append) => Promise<void>,
  openFile: OpenForWriting = openNew,
): Promise<number> {
  const target = resolve(out);
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  let written = 0;
  try {
    const handle = await openFile(temporary);
    try {
      await write(async (bytes) => {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, at, bytes.length - at);
          at += bytesWritten;
        }
        written += bytes.length;
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(out, error);
  }
}

/** What went wrong with a file or folder as an error for the user, where it is one that users can mend. */
export function fileError(out: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(out);
  const why = typeof code === 'string' ? unwritable.get(code) : undefined;
  return why === undefined ? error : outputUnwritable(out, why);
}

const unwritable: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'a part of its path is not a folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'the disk is read-only'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['EFBIG', 'it is larger than this disk allows'],
  ['EIO', 'the disk reported an error'],
]);
