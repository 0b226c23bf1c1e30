/** Attention weight to ink. One hue whose opacity grows, so that it reads on any background. */

export interface Colour {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** Opacity 0…255 of a weight 0…1: a square root, so that a weight of 0.05 is still seen. NaN is clear. */
export function inkOf(weight: number): number {
  return weight > 0 ? Math.round(Math.sqrt(Math.min(1, weight)) * 255) : 0;
}

/**
 * Part of a matrix as pixels, the largest weight in each: nothing that stands out is lost when many cells share a pixel.
 * @param values [rows, stride]
 * @returns RGBA, [height, width, 4]
 */
export function inkPixels(
  values: Float32Array,
  stride: number,
  part: { readonly row: number; readonly rows: number; readonly column: number; readonly columns: number },
  width: number,
  height: number,
  colour: Colour,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    const [fromRow, toRow] = span(y, height, part.rows);
    for (let x = 0; x < width; x += 1) {
      const [fromColumn, toColumn] = span(x, width, part.columns);
      let weight = 0;
      for (let row = fromRow; row < toRow; row += 1) {
        const start = (part.row + row) * stride + part.column;
        for (let column = fromColumn; column < toColumn; column += 1) {
          const value = values[start + column] ?? 0;
          if (value > weight) weight = value;
        }
      }
      const at = (y * width + x) * 4;
      pixels[at] = colour.red;
      pixels[at + 1] = colour.green;
      pixels[at + 2] = colour.blue;
      pixels[at + 3] = inkOf(weight);
    }
  }
  return pixels;
}

/** The source cells pixel `index` of `size` stands for; at least one. */
function span(index: number, size: number, cells: number): readonly [number, number] {
  const from = Math.floor((index * cells) / size);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * cells) / size))];
}
