/** The cells of a matrix as a small picture, kept while nothing but the pointer moves: a million values are read once, not at every move. */
import { type Inks, inkPixels, type MatrixPart } from './colourRamp.ts';
import type { Matrix } from './tokenWeights.ts';

export class CellPicture {
  private readonly canvas = document.createElement('canvas');
  private matrix: Matrix | null = null;
  private key = '';

  /** The canvas is reused: draw it before asking for another picture. */
  picture(matrix: Matrix, part: MatrixPart, width: number, height: number, inks: Inks): HTMLCanvasElement {
    const colours = [inks.weight, inks.positive, inks.negative].flatMap(({ red, green, blue }) => [red, green, blue]);
    const key = [part.row, part.rows, part.column, part.columns, width, height, ...colours].join();
    if (this.matrix === matrix && this.key === key) return this.canvas;
    this.matrix = matrix;
    this.key = key;
    this.canvas.width = width;
    this.canvas.height = height;
    const pixels = inkPixels(matrix.values, matrix.keys, part, width, height, inks, matrix.scale);
    this.canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
    return this.canvas;
  }
}
