/** A native table whose headers sort it. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import type { TableBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';
import { type Order, orderedRows } from './tableOrder.ts';
import { css } from 'lit';

const step = 50;

export class SortableTable extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    order: { state: true },
    limit: { state: true },
  };
  declare block: TableBlock;
  declare context: BlockContext;
  declare private order: Order | null;
  declare private limit: number;

  constructor() {
    super();
    this.order = null;
    this.limit = step;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('block')) {
      this.order = null;
      this.limit = step;
    }
  }

  protected override render(): TemplateResult {
    const { block, context, order, limit } = this;
    const rows = orderedRows(block, order);
    const left = rows.length - limit;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${visibleText(block.title)}>
        <table>
          <thead>
            <tr>
              ${block.columns.map(({ label, numeric, unit }, column) => {
                const sorted = order?.column === column ? (order.descending ? 'descending' : 'ascending') : 'none';
                const mark = sorted === 'none' ? '' : sorted === 'descending' ? ' ↓' : ' ↑';
                return html`<th scope="col" class=${numeric === true ? 'number' : nothing} aria-sort=${sorted}>
                  <button type="button" @click=${() => this.sort(column)}>${visibleText(label)}${unit === undefined ? '' : ` (${visibleText(unit)})`}${mark}</button>
                </th>`;
              })}
            </tr>
          </thead>
          <tbody>
            ${rows.slice(0, limit).map((index) => {
              const row = block.rows[index];
              const point = () => context.mark(row?.tokens);
              return html`<tr tabindex=${row?.tokens === undefined ? nothing : '0'} @mouseenter=${point} @focus=${point}
                @mouseleave=${() => context.mark(undefined)} @blur=${() => context.mark(undefined)}>
                ${row?.cells.map((cell, column) =>
                  typeof cell === 'number'
                    ? html`<td class="number">${Number.isFinite(cell) ? (Number.isInteger(cell) ? cell : formatSignificant(cell)) : '–'}</td>`
                    : html`<td class=${block.columns[column]?.numeric === true ? 'number' : nothing}>${visibleLabel(cell)}</td>`,
                )}
              </tr>`;
            })}
          </tbody>
        </table>
      </div>
      ${
        left > 0
          ? button({
              label: context.text.more(Math.min(left, step)),
              onClick: () => {
                this.limit += step;
              },
            })
          : nothing
      }`;
  }

  private sort(column: number): void {
    const numeric = this.block.columns[column]?.numeric === true;
    const { order } = this;
    this.order = { column, descending: order?.column === column ? !order.descending : numeric };
  }

  static override styles = [
    sharedStyles,
    css`
      .scroll {
        overflow-x: auto;
      }
      table {
        max-inline-size: none;
        inline-size: auto;
      }
      th button {
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        cursor: pointer;
      }
      tr:hover,
      tr:focus {
        background: var(--vscode-list-hoverBackground);
      }
    `,
  ];
}

customElements.define('loupe-sortable-table', SortableTable);
