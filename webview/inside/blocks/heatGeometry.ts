/** Where the cells of a heat grid are: pure, so that it is tested without a page. All lengths in CSS pixels. */
import type { HeatBlock } from '../../../src/shared/inspection/blocks.ts';

export interface HeatGeometry {
  readonly rows: number;
  readonly columns: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Room for row labels at the left and column labels at the top. */
  readonly left: number;
  readonly top: number;
  /** Of the whole grid with its labels. */
  readonly width: number;
  readonly height: number;
}

export interface HeatCell {
  readonly row: number;
  readonly column: number;
}

export function heatGeometry({ rows, columns, texts }: HeatBlock): HeatGeometry {
  const longest = (entries: HeatBlock['rows']['entries']) => entries.reduce((most, { label }) => Math.max(most, label.length), 0);
  const left = Math.min(160, 14 + 7 * longest(rows.entries));
  const hasTexts = texts !== undefined;
  const columnRoom = Math.min(10, longest(columns.entries));
  const cellWidth = hasTexts ? 64 : Math.max(14, Math.min(64, 6 * columnRoom + 6));
  const cellHeight = hasTexts ? 20 : 14;
  const top = 20;
  return {
    rows: rows.entries.length,
    columns: columns.entries.length,
    cellWidth,
    cellHeight,
    left,
    top,
    width: left + columns.entries.length * cellWidth,
    height: top + rows.entries.length * cellHeight,
  };
}

/** The cells of which some part is in view. */
export function visibleCells(geometry: HeatGeometry, scrollX: number, scrollY: number, width: number, height: number) {
  const { rows, columns, cellWidth, cellHeight, left, top } = geometry;
  const first = (offset: number, size: number) => Math.max(0, Math.floor(offset / size));
  return {
    firstRow: first(scrollY, cellHeight),
    endRow: Math.min(rows, Math.ceil((scrollY + height - top) / cellHeight)),
    firstColumn: first(scrollX, cellWidth),
    endColumn: Math.min(columns, Math.ceil((scrollX + width - left) / cellWidth)),
  };
}

/** The cell under a point of the view, or null over a label. */
export function cellAt(geometry: HeatGeometry, x: number, y: number, scrollX: number, scrollY: number): HeatCell | null {
  if (x < geometry.left || y < geometry.top) return null;
  const row = Math.floor((y - geometry.top + scrollY) / geometry.cellHeight);
  const column = Math.floor((x - geometry.left + scrollX) / geometry.cellWidth);
  return row < geometry.rows && column < geometry.columns ? { row, column } : null;
}

/** Where a key takes the cursor; null for keys that move nothing. */
export function movedCell(
  { rows, columns }: Pick<HeatGeometry, 'rows' | 'columns'>,
  cell: HeatCell,
  key: string,
): HeatCell | null {
  const clamp = (row: number, column: number): HeatCell => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  const { row, column } = cell;
  const moves: Readonly<Record<string, HeatCell>> = {
    ArrowUp: clamp(row - 1, column),
    ArrowDown: clamp(row + 1, column),
    ArrowLeft: clamp(row, column - 1),
    ArrowRight: clamp(row, column + 1),
    Home: clamp(row, 0),
    End: clamp(row, columns - 1),
    PageUp: clamp(row - 10, column),
    PageDown: clamp(row + 10, column),
  };
  return moves[key] ?? null;
}
