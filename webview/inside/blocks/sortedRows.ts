import type { TableBlock } from '../../../src/shared/inspection/blocks.ts';

export interface Sorting {
  readonly column: number;
  readonly descending: boolean;
}

type Row = TableBlock['rows'][number];

/** Equal rows keep their order; what is no number comes after all numbers, in both directions. Null: as the tool gave them. */
export function sortedRows(rows: readonly Row[], sorting: Sorting | null): readonly Row[] {
  if (sorting === null) return rows;
  const { column, descending } = sorting;
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [a.cells[column], b.cells[column]];
    if (isNumber(left) && isNumber(right)) return sign * (left - right);
    if (isNumber(left) !== isNumber(right)) return isNumber(left) ? -1 : 1;
    return sign * String(left ?? '').localeCompare(String(right ?? ''));
  });
}

function isNumber(cell: string | number | null | undefined): cell is number {
  return typeof cell === 'number' && !Number.isNaN(cell);
}
