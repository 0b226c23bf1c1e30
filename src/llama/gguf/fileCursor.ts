import type { FileHandle } from 'node:fs/promises';
import { modelCorrupt, modelTruncated } from '../../shared/errorCatalog.ts';

const windowBytes = 256 * 1024;

/**
 * Walks through a file front to back through one small window. Nothing is allocated by what the file claims:
 * strings have a limit, and everything else is stepped over.
 */
export class FileCursor {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly fileBytes: number;
  readonly #window = Buffer.alloc(windowBytes);
  /** Position in the file of the window's first byte. */
  #windowStart = 0;
  #windowLength = 0;
  #position = 0;

  constructor(handle: FileHandle, path: string, fileBytes: number) {
    this.#handle = handle;
    this.#path = path;
    this.fileBytes = fileBytes;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.fileBytes - this.#position;
  }

  /** True when the next `bytes` can be read without waiting. */
  has(bytes: number): boolean {
    return this.#position >= this.#windowStart && this.#position + bytes <= this.#windowStart + this.#windowLength;
  }

  /**
   * Makes the next `bytes` (at most a window) readable.
   * @throws E_MODEL_TRUNCATED when the file ends before them
   */
  async load(bytes: number): Promise<void> {
    if (this.has(bytes)) return;
    if (bytes > this.remaining) throw modelTruncated(this.#path, this.#position + bytes, this.fileBytes);
    this.#windowStart = this.#position;
    this.#windowLength = 0;
    while (this.#windowLength < bytes) {
      const { bytesRead } = await this.#handle.read(
        this.#window,
        this.#windowLength,
        windowBytes - this.#windowLength,
        this.#windowStart + this.#windowLength,
      );
      // The file shrank since its size was read.
      if (bytesRead === 0) throw modelTruncated(this.#path, this.#position + bytes, this.#windowStart + this.#windowLength);
      this.#windowLength += bytesRead;
    }
  }

  /** The next `bytes`, which `load` made readable; valid until the next `load`. */
  take(bytes: number): Buffer {
    const start = this.#position - this.#windowStart;
    this.#position += bytes;
    return this.#window.subarray(start, start + bytes);
  }

  /** @throws E_MODEL_TRUNCATED */
  skip(bytes: number): void {
    if (bytes > this.remaining) throw modelTruncated(this.#path, this.#position + bytes, this.fileBytes);
    this.#position += bytes;
  }

  async u32(): Promise<number> {
    await this.load(4);
    return this.take(4).readUInt32LE(0);
  }

  /** A count or length of 64 bits. @throws E_MODEL_CORRUPT above `limit` */
  async count(limit: number, meaning: string): Promise<number> {
    await this.load(8);
    const value = this.take(8).readBigUInt64LE(0);
    if (value > BigInt(limit)) throw modelCorrupt(this.#path, `it claims ${value} ${meaning}, more than ${limit}`);
    return Number(value);
  }

  /** A length-prefixed UTF-8 string. @throws E_MODEL_CORRUPT when longer than `limit` bytes */
  async string(limit: number, meaning: string): Promise<string> {
    const length = await this.count(limit, `bytes in ${meaning}`);
    if (length > this.remaining) throw modelTruncated(this.#path, this.#position + length, this.fileBytes);
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const step = Math.min(left, windowBytes);
      await this.load(step);
      parts.push(Buffer.from(this.take(step)));
      left -= step;
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** Steps over `count` strings; the loop waits only when the window runs out. @throws E_MODEL_CORRUPT, E_MODEL_TRUNCATED */
  async skipStrings(count: number, limit: number, meaning: string): Promise<void> {
    for (let index = 0; index < count; index++) this.skip(await this.#stringLength(limit, meaning));
  }

  /**
   * Steps over `count` strings of at most a window and tells whether two of them are equal; empty ones do not count.
   * @throws E_MODEL_CORRUPT, E_MODEL_TRUNCATED
   */
  async hasEqualStrings(count: number, limit: number, meaning: string): Promise<boolean> {
    const seen = new Set<string>();
    let strings = 0;
    for (let index = 0; index < count; index++) {
      const length = await this.#stringLength(limit, meaning);
      if (length === 0) continue;
      if (!this.has(length)) await this.load(length);
      // One character a byte: no two byte strings become the same text.
      seen.add(this.take(length).toString('latin1'));
      strings++;
    }
    return seen.size < strings;
  }

  async #stringLength(limit: number, meaning: string): Promise<number> {
    if (!this.has(8)) await this.load(8);
    const length = this.take(8).readBigUInt64LE(0);
    if (length > BigInt(limit)) throw modelCorrupt(this.#path, `it claims ${length} bytes in one string of ${meaning}`);
    return Number(length);
  }
}
