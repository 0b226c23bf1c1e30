/** Where a result file may go. The engine writes it, whole or not at all; a bad place is refused before the work, not after. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { outputUnwritable } from '../../shared/errorCatalog.ts';

/**
 * @returns the absolute path
 * @throws E_OUTPUT_UNWRITABLE for a directory, a device or pipe (a rename would replace it), a folder that does not exist
 */
export async function destination(file: string): Promise<string> {
  const absolute = path.resolve(file);
  const kind = await kindOf(absolute);
  if (kind === 'directory') throw outputUnwritable(file, 'it is a directory');
  if (kind === 'other') throw outputUnwritable(file, 'it is a device or a pipe, and results are written to files');
  const folder = path.dirname(absolute);
  if ((await kindOf(folder)) !== 'directory') throw outputUnwritable(file, `there is no folder ${folder}`);
  return absolute;
}

async function kindOf(file: string): Promise<'missing' | 'file' | 'directory' | 'other'> {
  try {
    const status = await stat(file);
    if (status.isDirectory()) return 'directory';
    return status.isFile() ? 'file' : 'other';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    throw outputUnwritable(file, code === 'EACCES' ? 'this user may not look into its folder' : `the system says ${code}`);
  }
}
