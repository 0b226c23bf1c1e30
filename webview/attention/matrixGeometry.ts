/** Where things are in the large matrix: cell size, the visible part, what lies under the pointer. All sizes in CSS pixels. */

export interface Geometry {
  readonly queries: number;
  readonly keys: number;
  /** Side of one cell; below 1 when the whole matrix is fitted into a small view. */
  readonly cell: number;
  /** Room for the query labels at the left. */
  readonly left: number;
  /** Room for the key labels above. */
  readonly top: number;
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scrollLeft: number;
  readonly scrollTop: number;
}

/** Half-open ranges of cells. */
export interface VisibleCells {
  readonly firstQuery: number;
  readonly lastQuery: number;
  readonly firstKey: number;
  readonly lastKey: number;
}

const largestCell = 32;
const largestFittedCell = 22;
/** Cells from this size on carry their token's text. */
export const labelledCell = 10;

/** The cell size at which the whole matrix is in view. */
export function fittedCell(queries: number, keys: number, width: number, height: number): number {
  const room = Math.min(width / Math.max(1, keys), height / Math.max(1, queries));
  return Math.max(0.05, Math.min(largestFittedCell, room));
}

/** One step of zoom, never below the fitted size nor above the largest. */
export function zoomed(cell: number, factor: number, fitted: number): number {
  return Math.max(fitted, Math.min(Math.max(largestCell, fitted), cell * factor));
}

export function visibleCells(geometry: Geometry, view: View): VisibleCells {
  const { cell, queries, keys } = geometry;
  const clamp = (value: number, limit: number) => Math.max(0, Math.min(limit, value));
  return {
    firstQuery: clamp(Math.floor(view.scrollTop / cell), queries),
    lastQuery: clamp(Math.ceil((view.scrollTop + view.height - geometry.top) / cell), queries),
    firstKey: clamp(Math.floor(view.scrollLeft / cell), keys),
    lastKey: clamp(Math.ceil((view.scrollLeft + view.width - geometry.left) / cell), keys),
  };
}

export type Hit =
  | { readonly part: 'cell'; readonly query: number; readonly key: number }
  | { readonly part: 'query'; readonly query: number }
  | { readonly part: 'key'; readonly key: number };

/** What lies at a point of the view, or null outside everything. */
export function hitTest(geometry: Geometry, view: View, x: number, y: number): Hit | null {
  const { cell, left, top, queries, keys } = geometry;
  const key = Math.floor((x - left + view.scrollLeft) / cell);
  const query = Math.floor((y - top + view.scrollTop) / cell);
  const onQueries = y >= top && query >= 0 && query < queries;
  const onKeys = x >= left && key >= 0 && key < keys;
  if (x >= left && y >= top) return onQueries && onKeys ? { part: 'cell', query, key } : null;
  if (x < left && onQueries) return { part: 'query', query };
  if (y < top && onKeys) return { part: 'key', key };
  return null;
}

/** How far to scroll so that a cell is in view; the offsets that are in force when it is already. */
export function scrollTo(
  geometry: Geometry,
  view: View,
  query: number,
  key: number,
): { readonly left: number; readonly top: number } {
  const along = (offset: number, size: number, position: number) => {
    const start = position * geometry.cell;
    if (start < offset) return start;
    return start + geometry.cell > offset + size ? start + geometry.cell - size : offset;
  };
  return {
    left: along(view.scrollLeft, view.width - geometry.left, key),
    top: along(view.scrollTop, view.height - geometry.top, query),
  };
}

/** Every how many tokens an axis carries a label so that labels do not touch. */
export function labelStep(cell: number): number {
  if (cell >= labelledCell) return 1;
  const needed = Math.ceil((labelledCell + 3) / cell);
  const magnitude = 10 ** Math.floor(Math.log10(needed));
  return [1, 2, 5, 10].map((factor) => factor * magnitude).find((step) => step >= needed) ?? needed;
}
