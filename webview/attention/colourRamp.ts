/** Values to ink. One hue a sign, whose opacity grows with the square root of the size, so that it reads on any background. */
import { paletteStep } from '../../src/shared/colourScale.ts';
import type { ValueScale } from './valueScale.ts';

interface Colour {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

export interface Inks {
  readonly weight: Colour;
  /** What raises the explained answer, and what lowers it. */
  readonly positive: Colour;
  readonly negative: Colour;
}

/** Rows and columns of cells: the first, and how many. */
export interface MatrixPart {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Opacity 0…255 of a weight 0…1: a square root, so that a weight of 0.05 is still seen. NaN is clear. */
export function inkOf(weight: number): number {
  return weight > 0 ? Math.round(Math.sqrt(Math.min(1, weight)) * 255) : 0;
}

/** Opacity 0…255 of a signed value, in the five steps of the palette on a square-root scale: clear below 1 % of the maximum. */
export function signedInkOf(value: number, maximum: number): number {
  return Math.abs(paletteStep(Math.sqrt(Math.abs(value)), Math.sqrt(maximum))) * 51;
}

/**
 * Part of a matrix as pixels, the value of largest size in each: nothing that stands out is lost when many cells share a pixel.
 * @param values [rows, stride]
 * @returns RGBA, [height, width, 4]
 */
export function inkPixels(
  values: Float32Array,
  stride: number,
  part: MatrixPart,
  width: number,
  height: number,
  inks: Inks,
  scale: ValueScale,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  const rows = spans(height, part.rows);
  const columns = spans(width, part.columns);
  for (let y = 0; y < height; y += 1) {
    const fromRow = part.row + (rows[2 * y] ?? 0);
    const toRow = part.row + (rows[2 * y + 1] ?? 0);
    for (let x = 0; x < width; x += 1) {
      const from = part.column + (columns[2 * x] ?? 0);
      const to = part.column + (columns[2 * x + 1] ?? 0);
      let strongest = 0;
      for (let row = fromRow; row < toRow; row += 1) {
        const end = row * stride + to;
        for (let at = row * stride + from; at < end; at += 1) {
          const value = values[at] ?? 0;
          if (Math.abs(value) > Math.abs(strongest)) strongest = value;
        }
      }
      if (strongest === 0) continue;
      const at = (y * width + x) * 4;
      const ink = scale.kind === 'weight' ? inks.weight : strongest > 0 ? inks.positive : inks.negative;
      pixels[at] = ink.red;
      pixels[at + 1] = ink.green;
      pixels[at + 2] = ink.blue;
      pixels[at + 3] = scale.kind === 'weight' ? inkOf(strongest) : signedInkOf(strongest, scale.maximum);
    }
  }
  return pixels;
}

/** The source cells each of `size` pixels stands for, at least one: [from, to) of pixel i at 2i and 2i + 1. */
function spans(size: number, cells: number): Int32Array {
  const bounds = new Int32Array(2 * size);
  for (let index = 0; index < size; index += 1) {
    const from = Math.floor((index * cells) / size);
    bounds[2 * index] = from;
    bounds[2 * index + 1] = Math.max(from + 1, Math.floor(((index + 1) * cells) / size));
  }
  return bounds;
}
