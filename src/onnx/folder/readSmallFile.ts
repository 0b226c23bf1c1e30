import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as v from 'valibot';
import { modelFolder } from '../../shared/modelFolderErrors.ts';

/** Text of a file beside a model, or null when there is none. @throws E_MODEL_FOLDER when it is too big or cannot be read */
export async function readSmallFile(file: string, maximumBytes: number): Promise<string | null> {
  try {
    const status = await stat(file);
    // Reading a pipe or a device could wait for ever.
    if (!status.isFile()) throw modelFolder(file, `${basename(file)} is not a regular file`);
    if (status.size > maximumBytes)
      throw modelFolder(file, `${basename(file)} has ${status.size} bytes, and ${maximumBytes} are allowed`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw modelFolder(file, `${basename(file)} cannot be read (${String(error.code)})`);
  }
}

/** A JSON file beside a model, or null when there is none. @throws E_MODEL_FOLDER, which names file and field */
export async function readJsonFile<Schema extends v.GenericSchema>(
  file: string,
  schema: Schema,
  maximumBytes: number,
): Promise<v.InferOutput<Schema> | null> {
  const text = await readSmallFile(file, maximumBytes);
  if (text === null) return null;
  const content = parseJson(file, text);
  if (Array.isArray(content)) throw modelFolder(file, `${basename(file)} holds a list where an object is wanted`);
  const parsed = v.safeParse(schema, content);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw modelFolder(file, `${basename(file)}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message.slice(0, 200)}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    // Some editors of Windows put a byte-order mark first.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message would quote the file.
    throw modelFolder(file, `${basename(file)} is not JSON`);
  }
}
