/** A native table that sorts; rows that stand for tokens are one tab stop, moved through by arrow keys. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { TableBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import { type BlockContext, unitText } from './blockContext.ts';
import { cellText } from './cellText.ts';
import { markedRows } from './markedRows.ts';
import { type Sorting, sortedRows } from './sortedRows.ts';

/** Rows drawn at first, and more at each request. */
const step = 50;
/** Characters from which a text gets room for more than a word a line. */
const longText = 30;

export class TableBlockView extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    sorting: { state: true },
    limit: { state: true },
  };
  declare block: TableBlock;
  declare context: BlockContext;
  declare private sorting: Sorting | null;
  declare private limit: number;
  private readonly rows = markedRows(this, () => this.context);

  constructor() {
    super();
    this.sorting = null;
    this.limit = step;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('block')) return;
    this.sorting = null;
    this.limit = step;
  }

  protected override render(): TemplateResult {
    const { block, context, sorting } = this;
    const rows = sortedRows(block.rows, sorting);
    const shown = rows.slice(0, this.limit);
    const rest = rows.length - shown.length;
    return html`<div class="scroll">
        <table>
          <caption class="visually-hidden">${visibleText(block.title)}</caption>
          <thead>
            <tr>${block.columns.map((column, index) => this.header(column, index))}</tr>
          </thead>
          <tbody @keydown=${this.rows.pressed}>
            ${shown.map(({ cells, tokens }, index) => this.row(cells, tokens, index, shown))}
          </tbody>
        </table>
      </div>
      ${
        rest <= 0
          ? nothing
          : button({
              label: context.text.showMore(String(Math.min(step, rest))),
              onClick: () => {
                this.limit += step;
              },
            })
      }
      ${sorting === null ? nothing : html`<span class="visually-hidden" role="status">${context.text.sortBy(block.columns[sorting.column]?.label ?? '')}</span>`}`;
  }

  private header({ label, numeric, unit }: TableBlock['columns'][number], index: number): TemplateResult {
    const { sorting, context } = this;
    const isSorted = sorting?.column === index;
    const direction = isSorted ? (sorting.descending ? 'descending' : 'ascending') : 'none';
    const shownUnit = unit === undefined ? '' : unitText(unit, context.text);
    const sort = () => {
      // Numbers are looked at from the largest down.
      const descending = isSorted ? !sorting.descending : numeric === true;
      this.sorting = { column: index, descending };
    };
    return html`<th scope="col" class=${numeric === true ? 'number' : ''} aria-sort=${direction}>
      <button type="button" class="sort" title=${context.text.sortBy(label)} @click=${sort}
        >${visibleLabel(label)}${shownUnit === '' ? '' : ` (${shownUnit})`}<span aria-hidden="true"
          >${isSorted ? (sorting.descending ? ' ▼' : ' ▲') : ''}</span
        ></button
      >
    </th>`;
  }

  private row(
    cells: readonly (string | number)[],
    tokens: readonly number[] | undefined,
    index: number,
    shown: readonly TableBlock['rows'][number][],
  ): TemplateResult {
    const { columns } = this.block;
    const drawn = columns.map(({ numeric }, column) => {
      const text = cellText(cells[column]);
      const look = numeric === true ? 'number' : text.length > longText ? 'long' : '';
      return column === 0 && numeric !== true
        ? html`<th scope="row" class=${look}><bdi>${text}</bdi></th>`
        : html`<td class=${look}><bdi>${text}</bdi></td>`;
    });
    return this.rows.row(drawn, tokens, index, shown);
  }

  static override styles = [
    sharedStyles,
    css`
      .scroll {
        overflow-x: auto;
      }
      table {
        inline-size: auto;
        max-inline-size: none;
      }
      td {
        white-space: normal;
        overflow-wrap: break-word;
        max-inline-size: 480px;
      }
      tbody th {
        min-inline-size: 60px;
        max-inline-size: 420px;
      }
      td,
      tbody th {
        vertical-align: top;
      }
      td.number {
        white-space: nowrap;
      }
      .long {
        min-inline-size: 130px;
      }
      thead th {
        max-inline-size: 120px;
        vertical-align: bottom;
        white-space: normal;
      }
      .sort {
        padding: 2px 0;
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        text-align: inherit;
        cursor: pointer;
      }
      .sort:hover {
        text-decoration: underline;
      }
      tbody tr:hover {
        background: var(--vscode-list-hoverBackground);
      }
      tr[tabindex] {
        cursor: pointer;
      }
      tr.highlighted {
        outline: 1px solid var(--vscode-focusBorder);
        outline-offset: -1px;
      }
    `,
  ];
}

customElements.define('loupe-table-block', TableBlockView);

export function tableBlock(block: TableBlock, context: BlockContext): TemplateResult {
  return html`<loupe-table-block .block=${block} .context=${context}></loupe-table-block>`;
}
