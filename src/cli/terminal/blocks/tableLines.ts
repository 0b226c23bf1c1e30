import type { TableBlock } from '../../../shared/inspection/blocks.ts';
import { displayWidth, padWidth } from '../displayWidth.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';
import { plainText } from '../../../shared/numberText.ts';

const rowsShown = 40;
const widestCell = 32;

export function tableLines({ columns, rows }: TableBlock, { theme }: BlockPage): string[] {
  const head = columns.map(({ label, unit }) => (unit === undefined ? label : `${label} (${unit})`));
  const cells = rows.slice(0, rowsShown).map((row) => row.cells.map((cell) => visibleText(cellText(cell))));
  const widths = head.map((label, column) =>
    Math.min(widestCell, Math.max(displayWidth(label), ...cells.map((row) => displayWidth(row[column] ?? '')))),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const fill = ' '.repeat(Math.max(0, width - displayWidth(cell)));
        return columns[column]?.numeric === true ? fill + padWidth(cell, width - fill.length) : padWidth(cell, width);
      })
      .join('  ')
      .trimEnd();
  const lines = [theme.dim(line(head)), ...cells.map(line)];
  if (rows.length > rowsShown) lines.push(theme.dim(`… and ${rows.length - rowsShown} more, all in --json`));
  return lines;
}

/** Four significant digits; the sign only where there is one. */
export function cellText(cell: string | number): string {
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell)) return plainText(cell);
  return Number.isFinite(cell) ? plainText(Number(cell.toPrecision(4))) : '–';
}
