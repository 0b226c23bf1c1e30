/** The cells of a matrix as a small picture, kept while nothing but the pointer moves: a million weights are read once, not at every move. */
import { type Colour, inkPixels, type MatrixPart } from './colourRamp.ts';
import type { Matrix } from './tokenWeights.ts';

export class CellPicture {
  private readonly canvas = document.createElement('canvas');
  private values: Float32Array | null = null;
  private key = '';

  /** The canvas is reused: draw it before asking for another picture. */
  picture(matrix: Matrix, part: MatrixPart, width: number, height: number, ink: Colour): HTMLCanvasElement {
    const key = [part.row, part.rows, part.column, part.columns, width, height, ink.red, ink.green, ink.blue].join();
    if (this.values === matrix.values && this.key === key) return this.canvas;
    this.values = matrix.values;
    this.key = key;
    this.canvas.width = width;
    this.canvas.height = height;
    const pixels = inkPixels(matrix.values, matrix.keys, part, width, height, ink);
    this.canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
    return this.canvas;
  }
}
