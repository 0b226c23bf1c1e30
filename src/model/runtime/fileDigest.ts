/** SHA-256 of a model file, streamed, and remembered while the file stays as it is. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

const digests = new Map<string, string>();

/**
 * Hex digest of the whole file.
 * @param onBytes told how many bytes were read so far; may throw to stop
 */
export async function fileDigest(file: string, onBytes: (bytes: number) => void): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const key = `${file}\n${size}\n${mtimeMs}`;
  const known = digests.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 * 1024 })) {
    const buffer = chunk as Buffer;
    hash.update(buffer);
    bytes += buffer.length;
    onBytes(bytes);
  }
  const digest = hash.digest('hex');
  digests.set(key, digest);
  return digest;
}
