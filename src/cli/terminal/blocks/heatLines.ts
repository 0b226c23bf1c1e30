import { paletteStep } from '../../../shared/colourScale.ts';
import type { HeatBlock } from '../../../shared/inspection/blocks.ts';
import { displayWidth, padWidth } from '../displayWidth.ts';
import { signed } from '../numbers.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';

const widestLabel = 16;
const widestCell = 8;

/** One line a row, one tinted cell a column; as many columns as fit, the first ones. */
export function heatLines({ rows, columns, values, unit, scale, range, texts }: HeatBlock, page: BlockPage): string[] {
  const { theme } = page;
  const labels = rows.entries.map(({ label }) => visibleText(label));
  const labelWidth = Math.min(widestLabel, Math.max(displayWidth(rows.title), ...labels.map(displayWidth)));
  const width = texts === undefined ? numberWidth(values) : widestCell;
  const shown = Math.max(1, Math.min(columns.entries.length, Math.floor((page.columns - labelWidth - 1) / (width + 1))));
  const low = scale === 'magnitude' ? (range?.[0] ?? 0) : 0;
  const largest = range === undefined ? largestOf(values, low) : Math.max(Math.abs(range[0]), Math.abs(range[1])) - low;
  const head = columns.entries.slice(0, shown).map(({ label }) => padWidth(visibleText(label), width));
  const lines = [`${padWidth('', labelWidth)} ${theme.dim(head.join(' '))}`];
  rows.entries.forEach((_, row) => {
    const cells = head.map((_label, column) => {
      const at = row * columns.entries.length + column;
      const value = values[at] ?? Number.NaN;
      const text = texts === undefined ? (Number.isNaN(value) ? '' : signed(value)) : visibleText(texts[at] ?? '');
      return theme.step(paletteStep(value - low, largest))(padWidth(text, width));
    });
    lines.push(`${padWidth(labels[row] ?? '', labelWidth)} ${cells.join(' ')}`);
  });
  const left = columns.entries.length - shown;
  lines.push(
    theme.dim(`rows: ${rows.title}; columns: ${columns.title}; ${unit}${left > 0 ? `; ${left} more columns in --json` : ''}`),
  );
  return lines;
}

function largestOf(values: Float32Array, low: number): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value - low)) : most), 0);
}

/** A number that is cut reads as another one: +1.00… of a million. */
function numberWidth(values: Float32Array): number {
  return values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, displayWidth(signed(value)))), 6);
}
