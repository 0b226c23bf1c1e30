/** What each unit of the prompt did for each token of the response: one row a token, one tab stop, arrow keys move. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { paletteStep } from '../../src/shared/colourScale.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { hasSign } from '../../src/shared/scoreSign.ts';
import { formatScore } from '../ui/formatNumber.ts';
import { type GridCell, nextInGrid } from '../ui/rovingFocus.ts';
import { sharedStyles, tintClass, tintStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { quotedLabel } from '../ui/visibleText.ts';
import { layoutMatrix, type MatrixLayout } from './matrixLayout.ts';
import { unitText } from './scoreUnit.ts';
import { moreButton } from './tokenTable.ts';

/** Rows and columns that are drawn at first, and more at each request. */
const step = { rows: 40, columns: 120 };

export class MatrixView extends LitElement {
  static override properties = {
    explanation: { attribute: false },
    showHidden: { attribute: false },
    intensity: { attribute: false },
    cell: { state: true },
    limit: { state: true },
  };
  declare explanation: Explanation;
  declare showHidden: boolean;
  declare intensity: number;
  declare onSelect: (unit: number) => void;
  /** Where the focus is, counted in drawn rows and columns. */
  declare private cell: GridCell;
  declare private limit: { readonly rows: number; readonly columns: number };
  private layout: MatrixLayout = { rows: [], columns: [], maximum: 0 };

  constructor() {
    super();
    this.cell = { row: 0, column: 0 };
    this.limit = step;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!['explanation', 'showHidden', 'intensity'].some((name) => changed.has(name))) return;
    this.layout = layoutMatrix(this.explanation, this.showHidden, this.intensity);
    const { rows, columns } = this.layout;
    this.cell = {
      row: Math.min(this.cell.row, Math.max(0, rows.length - 1)),
      column: Math.min(this.cell.column, Math.max(0, columns.length - 1)),
    };
  }

  protected override render(): TemplateResult {
    const text = strings();
    const rows = this.layout.rows.slice(0, this.limit.rows);
    const columns = this.layout.columns.slice(0, this.limit.columns);
    const { units, response } = this.explanation;
    if (rows.length === 0 || columns.length === 0) return html`<p class="muted">${text.noMatrix}</p>`;
    const more = (change: Partial<typeof step>) => () => {
      this.limit = { ...this.limit, ...change };
    };
    return html`<p class="muted">${text.matrixCaption}</p>
      <div class="scroll">
        <table role="grid" aria-label=${text.matrixLabel(rows.length, columns.length)} @click=${this.clicked} @keydown=${this.pressed}>
          <thead>
            <tr>
              <td></td>
              ${columns.map((unit) => html`<th scope="col"><bdi class="mono">${quotedLabel(units[unit]?.label ?? '', 24)}</bdi></th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ({ token }, row) => html`<tr>
                <th scope="row"><bdi class="mono">${quotedLabel(response.tokens[token]?.text ?? '', 24)}</bdi></th>
                ${columns.map((_, column) => this.drawn({ row, column }, text))}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="readout" role="status">${this.readout(this.cell, text)}</p>
      ${moreButton(this.layout.rows.length - rows.length, text, more({ rows: this.limit.rows + step.rows }), step.rows)}
      ${moreButton(this.layout.columns.length - columns.length, text, more({ columns: this.limit.columns + step.columns }), step.columns)}`;
  }

  private drawn(cell: GridCell, text: Strings): TemplateResult {
    const score = this.scoreAt(cell);
    const tint = paletteStep(score, this.layout.maximum);
    const isStop = cell.row === this.cell.row && cell.column === this.cell.column;
    // The sign is written too: colour is never the only one.
    const sign = tint === 0 || !hasSign(this.explanation.method) ? '' : tint > 0 ? '+' : '−';
    const words = this.readout(cell, text);
    return html`<td
      role="gridcell"
      class=${tintClass(tint)}
      data-row=${cell.row}
      data-column=${cell.column}
      tabindex=${isStop ? 0 : -1}
      aria-label=${words}
      title=${words}
      >${sign === '' ? nothing : sign}</td
    >`;
  }

  private scoreAt({ row, column }: GridCell): number {
    const { rows, columns } = this.layout;
    return this.explanation.matrix?.scores[rows[row]?.row ?? -1]?.[columns[column] ?? -1] ?? Number.NaN;
  }

  /** `‘capital’ → ‘ Paris’: +1.20 nats` */
  private readout(cell: GridCell, text: Strings): string {
    const { units, response, matrix, method } = this.explanation;
    const unit = units[this.layout.columns[cell.column] ?? -1]?.label ?? '';
    const token = response.tokens[this.layout.rows[cell.row]?.token ?? -1]?.text ?? '';
    const score = formatScore(this.scoreAt(cell), hasSign(method));
    return text.matrixCell(
      quotedLabel(unit, 40),
      quotedLabel(token, 40),
      text.scoreIs(score, unitText(matrix?.unit ?? '', text)),
    );
  }

  private readonly clicked = (event: Event): void => {
    const cell = cellOf(event);
    if (cell !== null) this.choose(cell);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const cell = cellOf(event);
    if (cell === null) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.choose(cell);
      return;
    }
    const rows = Math.min(this.limit.rows, this.layout.rows.length);
    const columns = Math.min(this.limit.columns, this.layout.columns.length);
    const next = nextInGrid(event.key, event.ctrlKey || event.metaKey, cell, rows, columns, 10);
    if (next === null) return;
    event.preventDefault();
    this.cell = next;
    this.renderRoot.querySelector<HTMLElement>(`[data-row="${next.row}"][data-column="${next.column}"]`)?.focus();
  };

  private choose(cell: GridCell): void {
    this.cell = cell;
    const unit = this.layout.columns[cell.column];
    if (unit !== undefined) this.onSelect(unit);
  }

  static override styles = [
    sharedStyles,
    tintStyles,
    css`
      .scroll {
        overflow: auto;
        max-block-size: 50vh;
        margin-block: 6px;
      }
      table {
        inline-size: auto;
        max-inline-size: none;
      }
      th {
        padding: 2px 6px 2px 0;
        white-space: nowrap;
      }
      thead th {
        padding: 0 0 4px;
        writing-mode: vertical-rl;
        max-block-size: 160px;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      tbody th {
        position: sticky;
        inset-inline-start: 0;
        background: var(--vscode-editor-background);
      }
      [role='gridcell'] {
        min-inline-size: 20px;
        block-size: 20px;
        padding: 0;
        border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        border-radius: 0;
        text-align: center;
        text-decoration: none;
        cursor: pointer;
      }
      [role='gridcell']:focus-visible {
        outline: 2px solid var(--vscode-focusBorder);
        outline-offset: -1px;
      }
    `,
  ];
}

function cellOf(event: Event): GridCell | null {
  const { row, column } = (event.target as Element).closest<HTMLElement>('[data-row]')?.dataset ?? {};
  return row === undefined || column === undefined ? null : { row: Number(row), column: Number(column) };
}

customElements.define('loupe-matrix-view', MatrixView);
