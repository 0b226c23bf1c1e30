/** The numbers of a block as CSV: one row a number, so that tokens which stand twice are told apart by their places. */
import { csvText } from '../csvText.ts';
import type { Token } from '../tokens.ts';
import type { Block, HeatBlock } from './blocks.ts';

type Row = readonly (string | number)[];

/** Null for a block that has no numbers. `tokens`: the prompt's. */
export function blockCsv(block: Block, tokens: readonly Pick<Token, 'text' | 'start' | 'end'>[]): string | null {
  const rows = rowsOf(block, tokens);
  return rows === null ? null : csvText(rows);
}

/** Whether {@link blockCsv} gives a file. */
export function hasCsv({ kind }: Pick<Block, 'kind'>): boolean {
  return kind !== 'edit' && kind !== 'text';
}

function rowsOf(block: Block, tokens: readonly Pick<Token, 'text' | 'start' | 'end'>[]): Row[] | null {
  switch (block.kind) {
    case 'heat':
      return heatRows(block);
    case 'table':
      return [block.columns.map(({ label, unit }) => withUnit(label, unit ?? '')), ...block.rows.map(({ cells }) => cells)];
    case 'bars': {
      const all = block.total === undefined ? block.bars : [...block.bars, { ...block.total, detail: 'total' }];
      return [['part', withUnit('value', block.unit), 'detail'], ...all.map((bar) => [bar.label, bar.value, bar.detail ?? ''])];
    }
    case 'graph': {
      const labels = new Map(block.nodes.map(({ id, label }) => [id, label]));
      const name = (id: string) => labels.get(id) ?? id;
      return [
        ['from', 'to', withUnit('weight', block.unit)],
        ...block.edges.map(({ from, to, weight }) => [name(from), name(to), weight]),
      ];
    }
    case 'curve':
      return [
        ['series', block.x, block.y],
        ...block.series.flatMap(({ label, points }) => points.map(([x, y]) => [label, x, y])),
      ];
    case 'prompt':
      return [
        ['token', 'text', 'start', 'end', withUnit('score', block.unit)],
        ...tokens.map(({ text, start, end }, index) => [index, text, start, end, block.scores[index] ?? Number.NaN]),
      ];
    case 'edit':
    case 'text':
      return null;
  }
}

/** A cell that is not there (NaN) has no row. */
function heatRows({ rows, columns, values, unit, texts, details }: HeatBlock): Row[] {
  const more = [...(texts === undefined ? [] : ['text']), ...(details === undefined ? [] : ['detail'])];
  const found: Row[] = [['row', rows.title, 'column', columns.title, withUnit('value', unit), ...more]];
  rows.entries.forEach((row, rowIndex) => {
    columns.entries.forEach((column, columnIndex) => {
      const at = rowIndex * columns.entries.length + columnIndex;
      const value = values[at] ?? Number.NaN;
      if (Number.isNaN(value)) return;
      const said = [texts, details].flatMap((each) => (each === undefined ? [] : [each[at] ?? '']));
      found.push([rowIndex, row.label, columnIndex, column.label, value, ...said]);
    });
  });
  return found;
}

function withUnit(name: string, unit: string): string {
  return unit === '' ? name : `${name} (${unit})`;
}
