import type { TableBlock } from '../../../src/shared/inspection/blocks.ts';

export interface Order {
  readonly column: number;
  readonly descending: boolean;
}

/** Numbers of the rows in the order of a column: numbers by size with those that are none last, texts by the alphabet; ties stay. */
export function orderedRows({ rows }: Pick<TableBlock, 'rows'>, order: Order | null): number[] {
  const indices = Array.from(rows.keys());
  if (order === null) return indices;
  const sign = order.descending ? -1 : 1;
  const cell = (row: number) => rows[row]?.cells[order.column] ?? '';
  return indices.sort((a, b) => {
    const [x, y] = [cell(a), cell(b)];
    if (typeof x === 'number' && typeof y === 'number') {
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return sign * (x - y) || a - b;
    }
    return sign * String(x).localeCompare(String(y)) || a - b;
  });
}
