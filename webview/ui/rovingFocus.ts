/** One tab stop for a whole list or grid: the arrow keys move inside it (WAI-ARIA "roving tabindex"). */

/** The index a key moves to in a list, or null when the key is not one of movement. */
export function nextInList(key: string, index: number, length: number): number | null {
  if (length === 0) return null;
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return Math.min(length - 1, index + 1);
    case 'ArrowLeft':
    case 'ArrowUp':
      return Math.max(0, index - 1);
    case 'Home':
      return 0;
    case 'End':
      return length - 1;
    default:
      return null;
  }
}

export interface GridCell {
  readonly row: number;
  readonly column: number;
}

/** The cell a key moves to in a grid, or null when the key is not one of movement. Control + Home and End reach the corners. */
export function nextInGrid(
  key: string,
  control: boolean,
  cell: GridCell,
  rows: number,
  columns: number,
  page: number,
): GridCell | null {
  if (rows === 0 || columns === 0) return null;
  const move = (row: number, column: number): GridCell => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  switch (key) {
    case 'ArrowRight':
      return move(cell.row, cell.column + 1);
    case 'ArrowLeft':
      return move(cell.row, cell.column - 1);
    case 'ArrowDown':
      return move(cell.row + 1, cell.column);
    case 'ArrowUp':
      return move(cell.row - 1, cell.column);
    case 'PageDown':
      return move(cell.row + page, cell.column);
    case 'PageUp':
      return move(cell.row - page, cell.column);
    case 'Home':
      return move(control ? 0 : cell.row, 0);
    case 'End':
      return move(control ? rows - 1 : cell.row, columns - 1);
    default:
      return null;
  }
}
