/** Draws the visible part of one head's matrix with its two token axes. */
import type { CanvasColours } from '../ui/themeColours.ts';
import type { CellPicture } from './cellPicture.ts';
import { type MatrixPart, signedInkOf } from './colourRamp.ts';
import { type Geometry, labelledCell, labelStep, type View, visibleCells } from './matrixGeometry.ts';
import type { Direction, Matrix } from './tokenWeights.ts';

/** Cells of this many pixels and more have room for a sign. */
const signedCell = 8;

export interface Marks {
  /** The cell under the pointer or the keyboard. */
  readonly cursor: { readonly query: number; readonly key: number } | null;
  readonly selected: { readonly token: number; readonly direction: Direction } | null;
}

/** `context` is scaled to CSS pixels of the view; `ratio` = device pixels per CSS pixel. */
export function paintMatrix(
  context: CanvasRenderingContext2D,
  matrix: Matrix,
  labels: readonly string[],
  geometry: Geometry,
  view: View,
  marks: Marks,
  colours: CanvasColours,
  ratio: number,
  cells: CellPicture,
): void {
  context.clearRect(0, 0, view.width, view.height);
  context.save();
  clip(context, geometry.left, geometry.top, view.width - geometry.left, view.height - geometry.top);
  paintCells(context, matrix, geometry, view, colours, ratio, cells);
  paintMarks(context, geometry, view, marks, colours);
  context.restore();
  paintQueryLabels(context, labels, geometry, view, marks, colours);
  paintKeyLabels(context, labels, geometry, view, marks, colours);
}

/** One pixel a cell, or a device pixel where cells are smaller; the canvas then enlarges without blurring. */
function paintCells(
  context: CanvasRenderingContext2D,
  matrix: Matrix,
  geometry: Geometry,
  view: View,
  colours: CanvasColours,
  ratio: number,
  cells: CellPicture,
): void {
  const { firstQuery, lastQuery, firstKey, lastKey } = visibleCells(geometry, view);
  const rows = lastQuery - firstQuery;
  const columns = lastKey - firstKey;
  if (rows <= 0 || columns <= 0) return;
  const pixels = (count: number) => Math.max(1, Math.min(count, Math.round(count * geometry.cell * ratio)));
  const width = pixels(columns);
  const height = pixels(rows);
  const part = { row: firstQuery, rows, column: firstKey, columns };
  const picture = cells.picture(matrix, part, width, height, colours.inks);
  context.imageSmoothingEnabled = false;
  const x = geometry.left + firstKey * geometry.cell - view.scrollLeft;
  const y = geometry.top + firstQuery * geometry.cell - view.scrollTop;
  context.drawImage(picture, x, y, columns * geometry.cell, rows * geometry.cell);
  if (matrix.scale.kind === 'signed' && geometry.cell >= signedCell)
    paintSigns(context, matrix, part, geometry.cell, x, y, colours);
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  const right = Math.min(view.width, x + columns * geometry.cell) - 0.5;
  const bottom = Math.min(view.height, y + rows * geometry.cell) - 0.5;
  context.strokeRect(geometry.left + 0.5, geometry.top + 0.5, right - geometry.left - 0.5, bottom - geometry.top - 0.5);
}

/** A short dash in every tinted cell below zero: the sign shows without colour too. */
function paintSigns(
  context: CanvasRenderingContext2D,
  matrix: Matrix,
  part: MatrixPart,
  cell: number,
  left: number,
  top: number,
  colours: CanvasColours,
): void {
  if (matrix.scale.kind !== 'signed') return;
  const { maximum } = matrix.scale;
  context.strokeStyle = colours.text;
  context.lineWidth = 1;
  context.beginPath();
  for (let row = 0; row < part.rows; row += 1) {
    const y = Math.round(top + (row + 0.5) * cell) - 0.5;
    for (let column = 0; column < part.columns; column += 1) {
      const value = matrix.values[(part.row + row) * matrix.keys + part.column + column] ?? 0;
      if (!(value < 0) || signedInkOf(value, maximum) === 0) continue;
      const x = left + (column + 0.5) * cell;
      context.moveTo(x - cell / 4, y);
      context.lineTo(x + cell / 4, y);
    }
  }
  context.stroke();
}

function paintMarks(
  context: CanvasRenderingContext2D,
  geometry: Geometry,
  view: View,
  marks: Marks,
  colours: CanvasColours,
): void {
  const { cell, left, top } = geometry;
  const size = Math.max(2, cell);
  const x = (key: number) => left + key * cell - view.scrollLeft;
  const y = (query: number) => top + query * cell - view.scrollTop;
  context.strokeStyle = colours.focus;
  context.lineWidth = 1.5;
  if (marks.selected !== null) {
    const { token, direction } = marks.selected;
    const right = Math.min(view.width, x(geometry.keys));
    const bottom = Math.min(view.height, y(geometry.queries));
    if (direction === 'row') context.strokeRect(left, y(token) - 0.5, right - left, size + 1);
    else context.strokeRect(x(token) - 0.5, top, size + 1, bottom - top);
  }
  if (marks.cursor !== null) {
    context.strokeStyle = colours.text;
    context.lineWidth = 1;
    const { query, key } = marks.cursor;
    context.strokeRect(x(key) - 0.5, y(query) - 0.5, size + 1, size + 1);
  }
}

function paintQueryLabels(
  context: CanvasRenderingContext2D,
  labels: readonly string[],
  geometry: Geometry,
  view: View,
  marks: Marks,
  colours: CanvasColours,
): void {
  const { firstQuery, lastQuery } = visibleCells(geometry, view);
  const marked = new Set<number>();
  if (marks.cursor !== null) marked.add(marks.cursor.query);
  if (marks.selected?.direction === 'row') marked.add(marks.selected.token);
  context.save();
  clip(context, 0, geometry.top, geometry.left - 5, view.height - geometry.top);
  context.font = labelFont(geometry.cell, colours);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  eachLabel(firstQuery, lastQuery, geometry.cell, marked, (token, isMarked) => {
    const y = geometry.top + (token + 0.5) * geometry.cell - view.scrollTop;
    context.fillStyle = isMarked ? colours.text : colours.muted;
    context.fillText(labelText(labels, token, geometry.cell, isMarked), geometry.left - 6, y);
  });
  context.restore();
}

function paintKeyLabels(
  context: CanvasRenderingContext2D,
  labels: readonly string[],
  geometry: Geometry,
  view: View,
  marks: Marks,
  colours: CanvasColours,
): void {
  const { firstKey, lastKey } = visibleCells(geometry, view);
  const marked = new Set<number>();
  if (marks.cursor !== null) marked.add(marks.cursor.key);
  if (marks.selected?.direction === 'column') marked.add(marks.selected.token);
  context.save();
  clip(context, geometry.left, 0, view.width - geometry.left, geometry.top - 5);
  context.font = labelFont(geometry.cell, colours);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  eachLabel(firstKey, lastKey, geometry.cell, marked, (token, isMarked) => {
    context.save();
    context.translate(geometry.left + (token + 0.5) * geometry.cell - view.scrollLeft, geometry.top - 6);
    context.rotate(-Math.PI / 2);
    context.fillStyle = isMarked ? colours.text : colours.muted;
    context.fillText(labelText(labels, token, geometry.cell, isMarked), 0, 0);
    context.restore();
  });
  context.restore();
}

/** Labels at a regular step; those too near a marked one give way to it. */
function eachLabel(
  first: number,
  last: number,
  cell: number,
  marked: ReadonlySet<number>,
  draw: (token: number, isMarked: boolean) => void,
): void {
  const step = labelStep(cell);
  const near = (token: number) =>
    [...marked].some((other) => other !== token && Math.abs(other - token) * cell < labelledCell + 2);
  for (let token = Math.ceil(first / step) * step; token < last; token += step) {
    if (!marked.has(token) && (step === 1 || !near(token))) draw(token, false);
  }
  for (const token of marked) if (token >= first && token < last) draw(token, true);
}

/** The token's text where there is room for it, else its position. */
function labelText(labels: readonly string[], token: number, cell: number, isMarked: boolean): string {
  return cell >= labelledCell || isMarked ? (labels[token] ?? '') : String(token);
}

function labelFont(cell: number, colours: CanvasColours): string {
  const size = cell >= labelledCell ? Math.min(12, Math.max(9, Math.floor(cell * 0.85))) : 10;
  return `${size}px ${colours.font}`;
}

function clip(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.beginPath();
  context.rect(x, y, Math.max(0, width), Math.max(0, height));
  context.clip();
}
