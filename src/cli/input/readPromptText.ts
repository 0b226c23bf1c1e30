/** A prompt's bytes from a file or from standard input, checked before they are taken for text. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { cancelled, promptNotFound, promptNotText, promptTooLarge, promptUnreadable } from '../../shared/errorCatalog.ts';

/** Far above any context; guards against a pipe without end. */
const limitBytes = 16 * 1024 * 1024;

/**
 * @param file a path, or `-` for standard input
 * @throws E_PROMPT_NOT_FOUND, E_PROMPT_UNREADABLE, E_PROMPT_NOT_TEXT, E_PROMPT_TOO_LARGE, E_CANCELLED
 */
export async function readPromptText(file: string, stdin: Readable, signal: AbortSignal): Promise<string> {
  if (file === '-') return decode(await readAll(stdin, 'standard input', signal), 'standard input');
  try {
    // A pipe (`<(…)`) is fine; a directory is not, and opening one says so only at the first read.
    if ((await stat(file)).isDirectory()) throw promptUnreadable(file, 'it is a directory');
    return decode(await readAll(createReadStream(file), file, signal), file);
  } catch (error) {
    throw fileError(file, error);
  }
}

async function readAll(stream: Readable, name: string, signal: AbortSignal): Promise<Buffer> {
  const stop = () => stream.destroy(cancelled());
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) throw cancelled();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw promptTooLarge(name, limitBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A byte-order mark is dropped; offsets count from the first character after it. */
function decode(data: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    throw promptNotText(name, 'its bytes are not valid UTF-8');
  }
}

function fileError(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return promptNotFound(file);
  if (code === 'EACCES' || code === 'EPERM') return promptUnreadable(file, 'this user may not read it');
  if (code === 'EISDIR') return promptUnreadable(file, 'it is a directory');
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return promptUnreadable(file, `the system says ${code}`);
  return error;
}
