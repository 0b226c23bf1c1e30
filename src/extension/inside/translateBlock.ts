import type { Axis, Block } from '../../shared/inspection/blocks.ts';
import type { TranslateRendered } from '../renderedTexts.ts';

/** A block with its own words translated. Tokens of the prompt are left alone: of rows, bars and cells only phrases are looked up. */
export function translateBlock(block: Block, translate: TranslateRendered): Block {
  if (block.kind === 'text') {
    const title = block.title === undefined ? {} : { title: translate(block.title) };
    return { ...block, ...title, lines: block.lines.map(translate) };
  }
  const caption = block.caption === undefined ? {} : { caption: translate(block.caption) };
  const heading = { title: translate(block.title), ...caption };
  const phrase = (text: string) => (/\S\s+\S/.test(text) ? translate(text) : text);
  switch (block.kind) {
    case 'heat': {
      const axis = (of: Axis): Axis => ({
        title: translate(of.title),
        entries: of.entries.map((entry) => ({ ...entry, label: phrase(entry.label) })),
      });
      const details = block.details === undefined ? {} : { details: block.details.map(translate) };
      return {
        ...block,
        ...heading,
        rows: axis(block.rows),
        columns: axis(block.columns),
        unit: translate(block.unit),
        ...details,
      };
    }
    case 'table':
      return {
        ...block,
        ...heading,
        columns: block.columns.map((column) => ({
          ...column,
          label: translate(column.label),
          ...(column.unit === undefined ? {} : { unit: translate(column.unit) }),
        })),
        rows: block.rows.map((row) => ({
          ...row,
          cells: row.cells.map((cell) => (typeof cell === 'string' ? phrase(cell) : cell)),
        })),
      };
    case 'bars':
      return {
        ...block,
        ...heading,
        unit: translate(block.unit),
        bars: block.bars.map((bar) => ({
          ...bar,
          label: phrase(bar.label),
          ...(bar.detail === undefined ? {} : { detail: translate(bar.detail) }),
        })),
        ...(block.total === undefined ? {} : { total: { ...block.total, label: translate(block.total.label) } }),
      };
    case 'curve':
      return {
        ...block,
        ...heading,
        x: translate(block.x),
        y: translate(block.y),
        series: block.series.map((series) => ({ ...series, label: translate(series.label) })),
      };
    case 'graph':
    case 'prompt':
      return { ...block, ...heading, unit: translate(block.unit) };
    case 'edit':
      return { ...block, ...heading };
  }
}
