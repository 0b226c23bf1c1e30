/** A grid of numbers: a canvas as large as the view, never as the grid, moved through by pointer or keys. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Axis, HeatBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { ResizeController } from '../../ui/resizeController.ts';
import { nextInGrid } from '../../ui/rovingFocus.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { canvasColours } from '../../ui/themeColours.ts';
import { visibleLabel } from '../../ui/visibleText.ts';
import { type BlockContext, unitText } from './blockContext.ts';
import { cellAt, type HeatCell, type HeatGeometry, heatGeometry, type HeatView, scrolledTo } from './heatGeometry.ts';
import { heatLegend, heatLegendStyles } from './heatLegend.ts';
import { type HeatPicture, paintHeat } from './heatPainter.ts';
import { heatScale } from './heatScale.ts';

/** The tallest view, in CSS pixels; longer grids scroll. */
const tallest = 700;

export class HeatBlockView extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    cursor: { state: true },
  };
  declare block: HeatBlock;
  declare context: BlockContext;
  declare private cursor: HeatCell | null;
  private width = 300;
  private pending = 0;
  private picture: HeatPicture | null = null;
  private labelRoom = { row: 30, column: 30, text: 0 };
  /** Rows and columns that stand for each token. */
  private places = new Map<number, { readonly rows: Set<number>; readonly columns: Set<number> }>();
  private readonly themeChanged = new MutationObserver(() => this.schedule());

  constructor() {
    super();
    this.cursor = null;
    new ResizeController(this, () => this.measure());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.themeChanged.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    this.themeChanged.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.themeChanged.disconnect();
    cancelAnimationFrame(this.pending);
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('block')) return;
    const { rows, columns, values, texts } = this.block;
    const labels = (axis: Axis) => axis.entries.map(({ label }) => visibleLabel(label));
    this.picture = {
      values,
      scale: heatScale(this.block),
      rowLabels: labels(rows),
      columnLabels: labels(columns),
      texts: texts ?? null,
    };
    this.labelRoom = {
      row: roomFor(this.picture.rowLabels),
      column: roomFor(this.picture.columnLabels),
      text: texts === undefined ? 0 : roomFor(texts),
    };
    this.places = placesOf(this.block);
    this.cursor = null;
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (this.measured()) return;
    const geometry = this.geometry();
    const { scroll, spacer, canvas } = this.parts();
    const { width, height } = this.viewSize(geometry);
    // Beside the canvas there is room for the bar that scrolls sideways, where there is one.
    const isWide = geometry.left + geometry.columns * geometry.cellWidth > width;
    scroll?.style.setProperty('block-size', `${height + (isWide ? 16 : 2)}px`);
    spacer?.style.setProperty('inline-size', `${geometry.left + geometry.columns * geometry.cellWidth}px`);
    spacer?.style.setProperty('block-size', `${geometry.top + geometry.rows * geometry.cellHeight}px`);
    canvas?.style.setProperty('inline-size', `${width}px`);
    canvas?.style.setProperty('block-size', `${height}px`);
    const before = changed.get('context') as BlockContext | undefined;
    if (before !== undefined && before.highlighted !== this.context.highlighted) this.showHighlighted();
    this.schedule();
  }

  protected override render(): TemplateResult {
    const { block, context } = this;
    const { text } = context;
    const { rows, columns } = block;
    const label = text.heatLabel(
      visibleLabel(block.title),
      String(rows.entries.length),
      rows.title,
      String(columns.entries.length),
      columns.title,
    );
    return html`
      ${this.picture === null ? nothing : heatLegend(this.picture, unitText(block.unit, text), text)}
      <p class="axes muted" aria-hidden="true"><span>${visibleLabel(rows.title)} ↓</span> <span>${visibleLabel(columns.title)} →</span></p>
      <div
        class="scroll"
        role="application"
        tabindex="0"
        aria-label=${label}
        @scroll=${this.schedule}
        @keydown=${this.pressed}
        @pointermove=${this.pointed}
        @pointerleave=${this.left}
        @blur=${this.left}
        @click=${this.clicked}
      >
        <div class="spacer"><canvas aria-hidden="true"></canvas></div>
      </div>
      <p class="readout" role="status" aria-live="polite">${this.readout()}</p>
    `;
  }

  private readout(): TemplateResult {
    const { block, cursor, context } = this;
    if (cursor === null) return html`<span class="muted">${context.text.heatPointAt}</span>`;
    const at = cursor.row * block.columns.entries.length + cursor.column;
    const value = block.values[at] ?? Number.NaN;
    const unit = unitText(block.unit, context.text);
    const number = Number.isNaN(value) ? context.text.noValue : `${formatSignificant(value)}${unit === '' ? '' : ` ${unit}`}`;
    const place = (axis: Axis, index: number) => `${visibleLabel(axis.title)} ${visibleLabel(axis.entries[index]?.label ?? '')}`;
    const parts = [block.texts?.[at], block.details?.[at]].filter((part) => part !== undefined && part !== '');
    return html`<bdi
      >${place(block.rows, cursor.row)} · ${place(block.columns, cursor.column)}:
      <strong>${number}</strong>${parts.map((part) => html` · <bdi>${visibleLabel(part ?? '')}</bdi>`)}</bdi
    >`;
  }

  private geometry(): HeatGeometry {
    const { rows, columns } = this.block;
    return heatGeometry(rows.entries.length, columns.entries.length, this.labelRoom, this.width);
  }

  private viewSize(geometry: HeatGeometry): { readonly width: number; readonly height: number } {
    const whole = geometry.top + geometry.rows * geometry.cellHeight + 1;
    return { width: this.width, height: Math.min(whole, tallest) };
  }

  private view(geometry: HeatGeometry): HeatView {
    const { scroll } = this.parts();
    return { ...this.viewSize(geometry), scrollLeft: scroll?.scrollLeft ?? 0, scrollTop: scroll?.scrollTop ?? 0 };
  }

  private parts() {
    return {
      scroll: this.renderRoot.querySelector<HTMLElement>('.scroll'),
      spacer: this.renderRoot.querySelector<HTMLElement>('.spacer'),
      canvas: this.renderRoot.querySelector('canvas'),
    };
  }

  private measure(): void {
    if (this.measured()) return;
    this.schedule();
  }

  /** Whether the width was not what was thought; then everything is laid out again. */
  private measured(): boolean {
    const width = this.parts().scroll?.clientWidth ?? 0;
    if (width === 0 || width === this.width) return false;
    this.width = width;
    this.requestUpdate();
    return true;
  }

  private readonly schedule = (): void => {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.paint());
  };

  private paint(): void {
    const { canvas } = this.parts();
    const context = canvas?.getContext('2d') ?? null;
    if (canvas === null || context === null || this.picture === null) return;
    const geometry = this.geometry();
    const view = this.view(geometry);
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { highlighted } = this.context;
    const marked = highlighted === null ? undefined : this.places.get(highlighted);
    const marks = { cursor: this.cursor, rows: marked?.rows ?? noPlaces, columns: marked?.columns ?? noPlaces };
    paintHeat(context, this.picture, geometry, view, marks, canvasColours(this));
  }

  /** Scrolls sideways to the column under the editor's cursor. */
  private showHighlighted(): void {
    const { highlighted } = this.context;
    const column = highlighted === null ? undefined : this.places.get(highlighted)?.columns.values().next().value;
    const { scroll } = this.parts();
    if (column === undefined || scroll === null) return;
    const geometry = this.geometry();
    const view = this.view(geometry);
    const row = Math.min(geometry.rows - 1, Math.ceil(view.scrollTop / geometry.cellHeight));
    scroll.scrollLeft = scrolledTo(geometry, view, { row, column }).left;
  }

  private hit(event: MouseEvent): HeatCell | null {
    const { canvas } = this.parts();
    if (canvas === null) return null;
    const box = canvas.getBoundingClientRect();
    const geometry = this.geometry();
    return cellAt(geometry, this.view(geometry), event.clientX - box.left, event.clientY - box.top);
  }

  private moveTo(cell: HeatCell | null): void {
    const { cursor } = this;
    if (cursor?.row === cell?.row && cursor?.column === cell?.column) return;
    this.cursor = cell;
    this.context.onMark(cell === null ? [] : this.tokensAt(cell));
  }

  private tokensAt({ row, column }: HeatCell): readonly number[] {
    const { rows, columns } = this.block;
    return [...new Set([...(rows.entries[row]?.tokens ?? []), ...(columns.entries[column]?.tokens ?? [])])];
  }

  private readonly pointed = (event: PointerEvent): void => this.moveTo(this.hit(event));

  private readonly left = (): void => this.moveTo(null);

  private readonly clicked = (event: MouseEvent): void => {
    const cell = this.hit(event);
    if (cell !== null) this.context.onReveal(this.tokensAt(cell));
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const cursor = this.cursor ?? { row: 0, column: 0 };
    if (event.key === 'Enter' || event.key === ' ') {
      this.moveTo(cursor);
      this.context.onReveal(this.tokensAt(cursor));
    } else if (event.key === 'Escape') this.moveTo(null);
    else {
      const geometry = this.geometry();
      const control = event.ctrlKey || event.metaKey;
      const next = nextInGrid(event.key, control, cursor, geometry.rows, geometry.columns, 10);
      if (next === null) return;
      // The first key only shows where the cursor is.
      const cell = this.cursor === null && event.key.startsWith('Arrow') ? cursor : next;
      this.moveTo(cell);
      const { scroll } = this.parts();
      const target = scrolledTo(geometry, this.view(geometry), cell);
      if (scroll !== null) {
        scroll.scrollLeft = target.left;
        scroll.scrollTop = target.top;
      }
      // The readout takes as many lines as the new cell needs.
      void this.updateComplete.then(() => this.scrollPage(geometry, cell.row - target.top / geometry.cellHeight));
    }
    event.preventDefault();
  };

  /** A grid may be taller than the page: the row, counted from the top of the view, must not hide below it or behind the readout. */
  private scrollPage(geometry: HeatGeometry, row: number): void {
    const top = this.parts().canvas?.getBoundingClientRect().top ?? 0;
    const readout = this.renderRoot.querySelector('.readout')?.clientHeight ?? 0;
    const upper = top + geometry.top + row * geometry.cellHeight;
    const below = upper + geometry.cellHeight + readout - window.innerHeight;
    const above = upper - geometry.top;
    if (below > 0) window.scrollBy(0, below);
    else if (above < 0) window.scrollBy(0, above);
  }

  static override styles = [
    sharedStyles,
    heatLegendStyles,
    css`
      .axes {
        display: flex;
        gap: 12px;
        font-size: 12px;
      }
      .scroll {
        overflow: auto;
        cursor: crosshair;
      }
      canvas {
        position: sticky;
        inset-block-start: 0;
        inset-inline-start: 0;
        display: block;
      }
      .readout {
        /* In view while the grid is, however far down it reaches. */
        position: sticky;
        inset-block-end: 0;
        min-block-size: 1.4em;
        background: var(--vscode-editor-background);
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];
}

const noPlaces: ReadonlySet<number> = new Set();

function placesOf({ rows, columns }: HeatBlock) {
  const places = new Map<number, { readonly rows: Set<number>; readonly columns: Set<number> }>();
  const note = (axis: Axis, which: 'rows' | 'columns') =>
    axis.entries.forEach(({ tokens = [] }, index) => {
      for (const token of tokens) {
        const found = places.get(token) ?? { rows: new Set<number>(), columns: new Set<number>() };
        found[which].add(index);
        places.set(token, found);
      }
    });
  note(rows, 'rows');
  note(columns, 'columns');
  return places;
}

/** Near enough for a margin, in CSS pixels: wide scripts take a full em, others about half of one. */
function roomFor(labels: readonly string[]): number {
  let most = 0;
  for (const label of labels) {
    let width = 14;
    for (const character of label) width += (character.codePointAt(0) ?? 0) > 0x2e7f ? 12 : 6.8;
    if (width > most) most = width;
  }
  return most;
}

customElements.define('loupe-heat-block', HeatBlockView);

export function heatBlock(block: HeatBlock, context: BlockContext): TemplateResult {
  return html`<loupe-heat-block .block=${block} .context=${context}></loupe-heat-block>`;
}
