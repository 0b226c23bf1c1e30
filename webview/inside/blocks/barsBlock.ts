/** Bars of signed numbers, as a table: the number stands beside each bar. A waterfall's bars begin where the one before ended. */
import { css, html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import type { BarsBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { formatScore } from '../../ui/formatNumber.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import { barSpans, type BarSpan } from './barSpans.ts';
import { type BlockContext, unitText } from './blockContext.ts';
import { markedRows } from './markedRows.ts';

const step = 60;

export class BarsBlockView extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    limit: { state: true },
  };
  declare block: BarsBlock;
  declare context: BlockContext;
  declare private limit: number;
  private readonly rows = markedRows(this, () => this.context);

  constructor() {
    super();
    this.limit = step;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('block')) this.limit = step;
  }

  protected override render(): TemplateResult {
    const { block, context } = this;
    const { spans, total, zero } = barSpans(block);
    const shown = block.bars.slice(0, this.limit);
    const rest = block.bars.length - shown.length;
    const unit = unitText(block.unit, context.text);
    return html`<table>
        <caption class="visually-hidden">${visibleText(block.title)}</caption>
        <thead>
          <tr>
            <th scope="col">${context.text.columnPart}</th>
            <th scope="col" class="number">${unit === '' ? '±' : unit}</th>
            <td></td>
          </tr>
        </thead>
        <tbody @keydown=${this.rows.pressed}>
          ${shown.map(({ label, value, detail, tokens }, index) =>
            this.rows.row(
              html`<th scope="row" title=${detail === undefined ? nothing : visibleLabel(detail)}><bdi>${visibleLabel(label)}</bdi>${detail === undefined ? nothing : html` <bdi class="muted detail">${visibleLabel(detail)}</bdi>`}</th>
                <td class="number">${formatScore(value ?? Number.NaN, true)}</td>
                <td class="barcell">${bar(spans[index], zero)}</td>`,
              tokens,
              index,
              shown,
            ),
          )}
          ${
            block.total === undefined || rest > 0
              ? nothing
              : html`<tr class="total">
                  <th scope="row"><bdi>${visibleLabel(block.total.label)}</bdi></th>
                  <td class="number">${formatScore(block.total.value ?? Number.NaN, true)}</td>
                  <td class="barcell">${bar(total, zero)}</td>
                </tr>`
          }
        </tbody>
      </table>
      ${
        rest <= 0
          ? nothing
          : button({
              label: context.text.showMore(String(Math.min(step, rest))),
              onClick: () => {
                this.limit += step;
              },
            })
      }`;
  }

  static override styles = [
    sharedStyles,
    css`
      table {
        max-inline-size: 760px;
      }
      tbody th {
        white-space: nowrap;
      }
      .detail {
        font-size: 12px;
      }
      svg {
        display: block;
        inline-size: 100%;
        min-inline-size: 120px;
        block-size: 12px;
        overflow: visible;
      }
      .positive {
        fill: rgb(from var(--vscode-promptLoupe-positive5, var(--vscode-charts-blue)) r g b / 100%);
      }
      .negative {
        fill: rgb(from var(--vscode-promptLoupe-negative5, var(--vscode-charts-orange)) r g b / 100%);
      }
      .zero {
        stroke: var(--vscode-descriptionForeground);
        stroke-width: 1;
        vector-effect: non-scaling-stroke;
      }
      .total {
        border-block-start: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, currentColor));
      }
      .total th,
      .total td {
        font-weight: bold;
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

/** Decoration: the number stands beside it. */
function bar(span: BarSpan | null | undefined, zero: number): TemplateResult {
  return html`<svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<line class="zero" x1=${zero} x2=${zero} y1="0" y2="12"></line>`}
    ${
      span == null
        ? nothing
        : svg`<rect class=${span.isNegative ? 'negative' : 'positive'} x=${span.start.toFixed(2)} y="2" height="8" width=${Math.max(0.4, span.size).toFixed(2)}></rect>`
    }
  </svg>`;
}

customElements.define('loupe-bars-block', BarsBlockView);

export function barsBlock(block: BarsBlock, context: BlockContext): TemplateResult {
  return html`<loupe-bars-block .block=${block} .context=${context}></loupe-bars-block>`;
}
