/** A grid of numbers on a canvas that holds only what is in view; keys move a cursor, whose cell is told in words. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { paletteStep } from '../../../src/shared/colourScale.ts';
import type { HeatBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { ResizeController } from '../../ui/resizeController.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { canvasColours } from '../../ui/themeColours.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';
import { cellAt, type HeatCell, type HeatGeometry, heatGeometry, movedCell, visibleCells } from './heatGeometry.ts';

const mostHeight = 480;

export class HeatGrid extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    cell: { state: true },
  };
  declare block: HeatBlock;
  declare context: BlockContext;
  declare private cell: HeatCell | null;
  private geometry: HeatGeometry | null = null;
  private largest = 0;
  private low = 0;
  private pending = 0;
  private readonly themeChanged = new MutationObserver(() => this.repaint());

  constructor() {
    super();
    this.cell = null;
    new ResizeController(this, () => this.repaint());
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
    const { values, range, scale } = this.block;
    this.geometry = heatGeometry(this.block);
    this.cell = null;
    this.low = scale === 'magnitude' ? (range?.[0] ?? 0) : 0;
    this.largest =
      range === undefined
        ? values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value - this.low)) : most), 0)
        : Math.max(Math.abs(range[0]), Math.abs(range[1])) - this.low;
  }

  protected override updated(): void {
    const { geometry } = this;
    const spacer = this.renderRoot.querySelector<HTMLElement>('.spacer');
    const view = this.view;
    if (geometry !== null && spacer !== null && view !== null) {
      // Through the object model: the page's policy forbids style attributes.
      spacer.style.width = `${geometry.width}px`;
      spacer.style.height = `${geometry.height}px`;
      view.style.height = `${Math.min(mostHeight, geometry.height + 14)}px`;
    }
    this.repaint();
  }

  protected override render(): TemplateResult {
    const { block, context } = this;
    return html`<div class="view" tabindex="0" role="group" aria-label=${`${block.title}. ${block.rows.title}, ${block.columns.title}. ${context.text.cellHint}`}
        @scroll=${() => this.repaint()} @keydown=${(event: KeyboardEvent) => this.move(event)}
        @mousemove=${(event: MouseEvent) => this.point(event)} @mouseleave=${() => context.mark(undefined)} @blur=${() => context.mark(undefined)}>
        <canvas aria-hidden="true"></canvas>
        <div class="spacer"></div>
      </div>
      <p class="status muted" role="status">${this.description()}</p>`;
  }

  private description(): string {
    const { block, cell, context } = this;
    if (cell === null) return `${block.rows.title} ↓ ${block.columns.title} → ${block.unit}`;
    const at = cell.row * block.columns.entries.length + cell.column;
    const value = block.values[at] ?? Number.NaN;
    const text = block.texts?.[at];
    const detail = block.details?.[at];
    const shown = `${text === undefined ? '' : `${visibleLabel(text)} `}${Number.isNaN(value) ? '–' : formatSignificant(value)} ${block.unit}`;
    const place = context.text.cell(
      visibleLabel(block.rows.entries[cell.row]?.label ?? ''),
      visibleLabel(block.columns.entries[cell.column]?.label ?? ''),
      shown,
    );
    return detail === undefined ? place : `${place}; ${visibleText(detail)}`;
  }

  private get view(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('.view');
  }

  private move(event: KeyboardEvent): void {
    const { geometry, cell, view } = this;
    if (geometry === null || view === null) return;
    const next = movedCell(geometry, cell ?? { row: 0, column: 0 }, event.key);
    if (next === null) return;
    event.preventDefault();
    this.choose(cell === null ? { row: 0, column: 0 } : next);
    const { left, top, cellWidth, cellHeight } = geometry;
    const target = this.cell ?? next;
    const [x, y] = [target.column * cellWidth, target.row * cellHeight];
    view.scrollLeft = Math.min(x, Math.max(view.scrollLeft, x + cellWidth + left - view.clientWidth));
    view.scrollTop = Math.min(y, Math.max(view.scrollTop, y + cellHeight + top - view.clientHeight));
  }

  private point(event: MouseEvent): void {
    const { geometry, view } = this;
    if (geometry === null || view === null) return;
    const box = view.getBoundingClientRect();
    const cell = cellAt(geometry, event.clientX - box.left, event.clientY - box.top, view.scrollLeft, view.scrollTop);
    if (cell?.row !== this.cell?.row || cell?.column !== this.cell?.column) this.choose(cell);
  }

  private choose(cell: HeatCell | null): void {
    this.cell = cell;
    const { rows, columns } = this.block;
    const tokens =
      cell === null ? [] : [rows.entries[cell.row]?.tokens, columns.entries[cell.column]?.tokens].flatMap((own) => own ?? []);
    this.context.mark(tokens.length === 0 ? undefined : tokens);
  }

  private repaint(): void {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    const { geometry, view, block, context } = this;
    const canvas = this.renderRoot.querySelector('canvas');
    const drawing = canvas?.getContext('2d') ?? null;
    if (geometry === null || view === null || canvas === null || drawing === null) return;
    const [width, height] = [view.clientWidth, view.clientHeight];
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * density));
    canvas.height = Math.max(1, Math.round(height * density));
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    drawing.setTransform(density, 0, 0, density, 0, 0);
    const colours = canvasColours(this);
    const { left, top, cellWidth, cellHeight } = geometry;
    const part = visibleCells(geometry, view.scrollLeft, view.scrollTop, width, height);
    drawing.font = `11px ${colours.font}`;
    drawing.textBaseline = 'middle';
    const cut = (text: string, room: number) => fitted(drawing, visibleLabel(text), room);
    drawing.save();
    drawing.beginPath();
    drawing.rect(left, top, width - left, height - top);
    drawing.clip();
    for (let row = part.firstRow; row < part.endRow; row += 1) {
      for (let column = part.firstColumn; column < part.endColumn; column += 1) {
        const at = row * geometry.columns + column;
        const value = block.values[at] ?? Number.NaN;
        const [x, y] = [left + column * cellWidth - view.scrollLeft, top + row * cellHeight - view.scrollTop];
        const step = paletteStep(value - this.low, this.largest);
        if (step !== 0) {
          const { red, green, blue } =
            block.scale === 'magnitude' ? colours.inks.weight : step > 0 ? colours.inks.positive : colours.inks.negative;
          drawing.fillStyle = `rgba(${red}, ${green}, ${blue}, ${0.14 * Math.abs(step)})`;
          drawing.fillRect(x, y, cellWidth - 1, cellHeight - 1);
        }
        const text = block.texts?.[at];
        if (text !== undefined) {
          drawing.fillStyle = colours.text;
          drawing.fillText(cut(text, cellWidth - 6), x + 3, y + cellHeight / 2);
        }
        const isCursor = this.cell?.row === row && this.cell.column === column;
        const isFollowed = context.cursor !== null && block.columns.entries[column]?.tokens?.includes(context.cursor) === true;
        if (isCursor || isFollowed) {
          drawing.strokeStyle = colours.focus;
          drawing.lineWidth = isCursor ? 2 : 1;
          drawing.strokeRect(x + 0.5, y + 0.5, cellWidth - 2, cellHeight - 2);
        }
      }
    }
    drawing.restore();
    drawing.fillStyle = colours.muted;
    for (let row = part.firstRow; row < part.endRow; row += 1) {
      const y = top + row * cellHeight - view.scrollTop;
      if (y >= top - cellHeight / 2) drawing.fillText(cut(block.rows.entries[row]?.label ?? '', left - 8), 2, y + cellHeight / 2);
    }
    for (let column = part.firstColumn; column < part.endColumn; column += 1) {
      const x = left + column * cellWidth - view.scrollLeft;
      if (x >= left - cellWidth / 2)
        drawing.fillText(cut(block.columns.entries[column]?.label ?? '', cellWidth - 2), x + 1, top / 2);
    }
  }

  static override styles = [
    sharedStyles,
    css`
      .view {
        position: relative;
        overflow: auto;
      }
      canvas {
        position: sticky;
        inset-block-start: 0;
        inset-inline-start: 0;
        display: block;
      }
      .spacer {
        position: absolute;
        inset-block-start: 0;
        inset-inline-start: 0;
        pointer-events: none;
      }
      .status {
        min-block-size: 2.8em;
      }
    `,
  ];
}

/** A label cut to the room it has. */
function fitted(drawing: CanvasRenderingContext2D, text: string, room: number): string {
  if (drawing.measureText(text).width <= room) return text;
  let end = text.length - 1;
  while (end > 0 && drawing.measureText(`${text.slice(0, end)}…`).width > room) end -= 1;
  return end <= 0 ? '' : `${text.slice(0, end)}…`;
}

customElements.define('loupe-heat-grid', HeatGrid);
