/** Where the cells of a heat block lie, in CSS pixels. Pure. */

export interface HeatGeometry {
  readonly rows: number;
  readonly columns: number;
  /** Room for the rows' labels. */
  readonly left: number;
  /** Room for the columns' labels. */
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
}

export interface HeatView {
  readonly width: number;
  readonly height: number;
  readonly scrollLeft: number;
  readonly scrollTop: number;
}

export interface HeatCell {
  readonly row: number;
  readonly column: number;
}

const withText = { least: 40, enough: 92, most: 140, height: 22 };
const plain = { least: 9, most: 40, height: 18 };

/** `labels`: what the longest row label, column label and text in a cell need; 0: cells have no text. Cells fill the width as far as they stay readable. */
export function heatGeometry(
  rows: number,
  columns: number,
  labels: { readonly row: number; readonly column: number; readonly text: number },
  width: number,
): HeatGeometry {
  const hasTexts = labels.text > 0;
  const left = Math.round(Math.max(30, Math.min(width * 0.3, labels.row)));
  const fitting = Math.floor((width - left - 1) / Math.max(1, columns));
  const cellWidth = hasTexts
    ? Math.max(withText.least, Math.min(withText.enough, labels.text), Math.min(withText.most, fitting))
    : Math.max(plain.least, Math.min(plain.most, fitting));
  const isFlat = labels.column <= cellWidth;
  const top = Math.round(hasTexts || isFlat ? 22 : Math.max(34, Math.min(132, labels.column)));
  return { rows, columns, left, top, cellWidth, cellHeight: hasTexts ? withText.height : plain.height };
}

/** The cells any part of which is in view, ends excluded. */
export function visibleRange({ rows, columns, left, top, cellWidth, cellHeight }: HeatGeometry, view: HeatView) {
  const clamp = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return {
    firstRow: clamp(Math.floor(view.scrollTop / cellHeight), rows),
    lastRow: clamp(Math.ceil((view.scrollTop + view.height - top) / cellHeight), rows),
    firstColumn: clamp(Math.floor(view.scrollLeft / cellWidth), columns),
    lastColumn: clamp(Math.ceil((view.scrollLeft + view.width - left) / cellWidth), columns),
  };
}

/** The cell at a point of the view; null on a label and beside the cells. */
export function cellAt({ rows, columns, left, top, cellWidth, cellHeight }: HeatGeometry, view: HeatView, x: number, y: number) {
  if (x < left || y < top || x >= view.width || y >= view.height) return null;
  const row = Math.floor((y - top + view.scrollTop) / cellHeight);
  const column = Math.floor((x - left + view.scrollLeft) / cellWidth);
  return row < rows && column < columns ? { row, column } : null;
}

/** Where to scroll so that the cell is wholly in view; as it is, where it already is. */
export function scrolledTo({ left, top, cellWidth, cellHeight }: HeatGeometry, view: HeatView, { row, column }: HeatCell) {
  const into = (at: number, size: number, from: number, room: number) => (at < from ? at : Math.max(from, at + size - room));
  return {
    left: into(column * cellWidth, cellWidth, view.scrollLeft, view.width - left),
    top: into(row * cellHeight, cellHeight, view.scrollTop, view.height - top),
  };
}
