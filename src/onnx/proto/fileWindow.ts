import { readSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';

const windowBytes = 64 * 1024;

/** Reads a file here and there through one small window, so that weights between two headers are never read. */
export class FileWindow {
  #start = 0;
  #bytes = new Uint8Array(0);
  #reader = new BinaryReader(this.#bytes);
  /** Bytes read from the disk so far. */
  bytesRead = 0;

  constructor(
    private readonly descriptor: number,
    readonly size: number,
  ) {}

  /** A reader placed at `offset`, over at least `length` bytes or up to the end of the file. Valid until the next call. */
  readerAt(offset: number, length: number): BinaryReader {
    this.#load(offset, Math.min(length, this.size - offset));
    this.#reader.pos = offset - this.#start;
    return this.#reader;
  }

  /** Position in the file of a reader that `readerAt` returned. */
  position(reader: BinaryReader): number {
    return this.#start + reader.pos;
  }

  /** A copy of `length` bytes; the caller has checked that they lie inside the file. */
  copy(offset: number, length: number): Uint8Array {
    if (length > windowBytes) return this.#read(offset, length);
    this.#load(offset, length);
    return this.#bytes.slice(offset - this.#start, offset - this.#start + length);
  }

  #load(offset: number, length: number): void {
    if (offset >= this.#start && offset + length <= this.#start + this.#bytes.length) return;
    this.#bytes = this.#read(offset, Math.min(Math.max(length, windowBytes), this.size - offset));
    this.#start = offset;
    this.#reader = new BinaryReader(this.#bytes);
  }

  #read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.descriptor, bytes, filled, length - filled, offset + filled);
      if (count === 0) throw new RangeError('the file became shorter while it was read');
      filled += count;
    }
    this.bytesRead += length;
    return bytes;
  }
}
