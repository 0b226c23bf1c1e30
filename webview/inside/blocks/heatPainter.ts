/** Draws the part of a heat block that is in view: its cells, its two axes and what is marked. */
import type { CanvasColours } from '../../ui/themeColours.ts';
import { visibleLabel } from '../../ui/visibleText.ts';
import { type HeatCell, type HeatGeometry, type HeatView, visibleRange } from './heatGeometry.ts';
import { type HeatScale, heatStrength } from './heatScale.ts';

export interface HeatPicture {
  readonly values: Float32Array;
  readonly scale: HeatScale;
  /** Both ready to be shown. */
  readonly rowLabels: readonly string[];
  readonly columnLabels: readonly string[];
  /** As the tool gave them: only those in view are made ready. */
  readonly texts: readonly string[] | null;
}

export interface HeatMarks {
  readonly cursor: HeatCell | null;
  readonly rows: ReadonlySet<number>;
  readonly columns: ReadonlySet<number>;
}

/** Shades a colour has. */
const shades = 24;

/** Opacity of the strongest shade: text must stay readable on it. */
export function strongestShade({ texts }: Pick<HeatPicture, 'texts'>): number {
  return texts === null ? 0.95 : 0.42;
}

/** `context` is scaled to CSS pixels of the view. */
export function paintHeat(
  context: CanvasRenderingContext2D,
  picture: HeatPicture,
  geometry: HeatGeometry,
  view: HeatView,
  marks: HeatMarks,
  colours: CanvasColours,
): void {
  const { left, top } = geometry;
  context.clearRect(0, 0, view.width, view.height);
  inside(context, left, top, view.width - left, view.height - top, () => {
    paintCells(context, picture, geometry, view, colours);
    paintMarks(context, geometry, view, marks, colours);
  });
  inside(context, 0, top, left, view.height - top, () => paintRowLabels(context, picture, geometry, view, marks, colours));
  inside(context, left, 0, view.width - left, top, () => paintColumnLabels(context, picture, geometry, view, marks, colours));
}

function inside(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, paint: () => void) {
  context.save();
  context.beginPath();
  context.rect(x, y, Math.max(0, width), Math.max(0, height));
  context.clip();
  paint();
  context.restore();
}

function paintCells(
  context: CanvasRenderingContext2D,
  picture: HeatPicture,
  geometry: HeatGeometry,
  view: HeatView,
  colours: CanvasColours,
): void {
  const { values, scale, texts } = picture;
  const { columns, left, top, cellWidth, cellHeight } = geometry;
  const { firstRow, lastRow, firstColumn, lastColumn } = visibleRange(geometry, view);
  const gap = cellWidth >= 12 ? 1 : 0;
  const inkOf = inks(colours, scale.kind, strongestShade(picture));
  context.font = `12px ${colours.font}`;
  context.textBaseline = 'middle';
  context.strokeStyle = colours.text;
  context.lineWidth = 1;
  for (let row = firstRow; row < lastRow; row += 1) {
    const y = top + row * cellHeight - view.scrollTop;
    for (let column = firstColumn; column < lastColumn; column += 1) {
      const at = row * columns + column;
      const strength = heatStrength(values[at] ?? Number.NaN, scale);
      if (Number.isNaN(strength)) continue;
      const x = left + column * cellWidth - view.scrollLeft;
      const shade = Math.round(strength * shades);
      if (shade !== 0) {
        context.fillStyle = inkOf(shade);
        context.fillRect(x, y, cellWidth - gap, cellHeight - gap);
      }
      // The sign shows without colour too.
      if (shade < 0 && cellWidth >= 8) {
        const length = Math.min(10, cellWidth / 2);
        const middle = texts === null ? y + cellHeight / 2 : y + cellHeight - 3.5;
        const start = x + (cellWidth - length) / 2;
        context.beginPath();
        context.moveTo(start, Math.round(middle) + 0.5);
        context.lineTo(start + length, Math.round(middle) + 0.5);
        context.stroke();
      }
      const text = texts?.[at];
      if (text !== undefined && text !== '') {
        context.fillStyle = colours.text;
        context.textAlign = 'left';
        context.fillText(fitted(context, visibleLabel(text), cellWidth - 8), x + 4, y + cellHeight / 2);
      }
    }
  }
}

/** The shades as CSS colours, made when first needed. */
function inks(colours: CanvasColours, kind: HeatScale['kind'], most: number): (shade: number) => string {
  const made = new Map<number, string>();
  return (shade) => {
    let ink = made.get(shade);
    if (ink === undefined) {
      const { weight, positive, negative } = colours.inks;
      const { red, green, blue } = kind === 'magnitude' ? weight : shade > 0 ? positive : negative;
      ink = `rgb(${red} ${green} ${blue} / ${((Math.abs(shade) / shades) * most).toFixed(3)})`;
      made.set(shade, ink);
    }
    return ink;
  };
}

function paintMarks(
  context: CanvasRenderingContext2D,
  { rows, columns, left, top, cellWidth, cellHeight }: HeatGeometry,
  view: HeatView,
  marks: HeatMarks,
  colours: CanvasColours,
): void {
  const x = (column: number) => left + column * cellWidth - view.scrollLeft;
  const y = (row: number) => top + row * cellHeight - view.scrollTop;
  context.strokeStyle = colours.focus;
  context.lineWidth = 2;
  for (const column of marks.columns) context.strokeRect(x(column), y(0) - 2, cellWidth - 1, rows * cellHeight + 4);
  for (const row of marks.rows) context.strokeRect(x(0) - 2, y(row), columns * cellWidth + 4, cellHeight - 1);
  if (marks.cursor === null) return;
  context.strokeRect(x(marks.cursor.column) + 1, y(marks.cursor.row) + 1, cellWidth - 2, cellHeight - 2);
}

function paintRowLabels(
  context: CanvasRenderingContext2D,
  { rowLabels }: HeatPicture,
  geometry: HeatGeometry,
  view: HeatView,
  marks: HeatMarks,
  colours: CanvasColours,
): void {
  const { firstRow, lastRow } = visibleRange(geometry, view);
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (let row = firstRow; row < lastRow; row += 1) {
    const isMarked = marks.rows.has(row) || marks.cursor?.row === row;
    context.font = `${isMarked ? 'bold ' : ''}12px ${colours.font}`;
    context.fillStyle = isMarked ? colours.text : colours.muted;
    const y = geometry.top + (row + 0.5) * geometry.cellHeight - view.scrollTop;
    context.fillText(fitted(context, rowLabels[row] ?? '', geometry.left - 8), geometry.left - 6, y);
  }
}

/** Flat where they fit, else upright, every so many where cells are narrow. */
function paintColumnLabels(
  context: CanvasRenderingContext2D,
  { columnLabels }: HeatPicture,
  geometry: HeatGeometry,
  view: HeatView,
  marks: HeatMarks,
  colours: CanvasColours,
): void {
  const { firstColumn, lastColumn } = visibleRange(geometry, view);
  const { left, top, cellWidth } = geometry;
  const isFlat = top <= 22;
  const step = isFlat ? 1 : Math.max(1, Math.ceil(13 / cellWidth));
  context.textBaseline = 'middle';
  for (let column = firstColumn; column < lastColumn; column += 1) {
    const isMarked = marks.columns.has(column) || marks.cursor?.column === column;
    if (!isMarked && column % step !== 0) continue;
    context.font = `${isMarked ? 'bold ' : ''}12px ${colours.font}`;
    context.fillStyle = isMarked ? colours.text : colours.muted;
    const x = left + column * cellWidth - view.scrollLeft;
    const label = columnLabels[column] ?? '';
    if (isFlat) {
      context.textAlign = 'left';
      context.fillText(fitted(context, label, cellWidth - 6), x + 4, top / 2);
      continue;
    }
    context.save();
    context.translate(x + cellWidth / 2, top - 5);
    context.rotate(-Math.PI / 2);
    context.textAlign = 'left';
    context.fillText(fitted(context, label, top - 8), 0, 0);
    context.restore();
  }
}

/** Cut with an ellipsis where the room ends. */
function fitted(context: CanvasRenderingContext2D, label: string, room: number): string {
  if (label.length * 4 < room && label.length < 4) return label;
  if (context.measureText(label).width <= room) return label;
  const characters = [...label];
  let [low, high] = [0, characters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${characters.slice(0, middle).join('')}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${characters.slice(0, low).join('')}…`;
}
