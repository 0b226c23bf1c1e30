/** A plain PNG reader, for 8-bit RGBA without interlacing: what tests look at pixels with (PNG specification, filters 0 to 4). */
import { inflateSync } from 'node:zlib';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4] */
  readonly data: Uint8Array;
}

export function readPng(file: Uint8Array): Pixels {
  const bytes = Buffer.from(file);
  if (bytes.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') throw new Error('no PNG');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes.readUInt32BE(24) !== 0x08060000) throw new Error('not 8-bit RGBA');
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  return { width, height, data: unfiltered(inflateSync(Buffer.concat(parts)), 4 * width, height) };
}

function unfiltered(raw: Uint8Array, row: number, height: number): Uint8Array {
  const data = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)] ?? 0;
    for (let x = 0; x < row; x++) {
      const left = x < 4 ? 0 : (data[y * row + x - 4] ?? 0);
      const up = y === 0 ? 0 : (data[(y - 1) * row + x] ?? 0);
      const corner = x < 4 || y === 0 ? 0 : (data[(y - 1) * row + x - 4] ?? 0);
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      data[y * row + x] = (raw[y * (row + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return data;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((value) => Math.abs(estimate - value)) as [number, number, number];
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
}
