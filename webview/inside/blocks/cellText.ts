import { formatNumber, formatSignificant } from '../../ui/formatNumber.ts';
import { visibleLabel } from '../../ui/visibleText.ts';

/** A cell as it is read. A number that was none comes out of a message as null. */
export function cellText(cell: string | number | null | undefined): string {
  if (typeof cell === 'string') return visibleLabel(cell);
  if (cell === null || cell === undefined || Number.isNaN(cell)) return '–';
  if (Number.isInteger(cell)) return formatNumber(cell, 0);
  const magnitude = Math.abs(cell);
  return magnitude >= 100
    ? formatNumber(cell, 1)
    : magnitude < 1e-4
      ? cell.toExponential(1).replace(/-/g, '−')
      : formatSignificant(cell);
}
