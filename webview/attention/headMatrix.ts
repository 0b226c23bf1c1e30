/** One head large: a canvas that draws only what is in view, scrolled and zoomed, and driven by pointer or keys. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { button } from '../ui/controls.ts';
import { nextInGrid } from '../ui/rovingFocus.ts';
import { ResizeController } from '../ui/resizeController.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { strings } from '../ui/strings.ts';
import { canvasColours } from '../ui/themeColours.ts';
import { CellPicture } from './cellPicture.ts';
import { fittedCell, type Geometry, type Hit, hitTest, scrollTo, type View, zoomed } from './matrixGeometry.ts';
import { type Marks, paintMatrix } from './matrixPainter.ts';
import type { Direction, Matrix } from './tokenWeights.ts';
import { formatValue } from './valueScale.ts';

const zoomStep = 1.5;

export class HeadMatrix extends LitElement {
  static override properties = {
    matrix: { attribute: false },
    labels: { attribute: false },
    selected: { attribute: false },
    direction: { attribute: false },
    description: { attribute: false },
    cell: { state: true },
    cursor: { state: true },
  };
  declare matrix: Matrix;
  /** One per token, ready to be shown. */
  declare labels: readonly string[];
  declare selected: Marks['selected'];
  declare direction: Direction;
  declare description: string;
  declare onSelect: (token: number, direction: Direction) => void;
  declare onClear: () => void;
  /** Side of one cell in CSS pixels; null = the whole matrix in view. */
  declare private cell: number | null;
  declare private cursor: Marks['cursor'];
  private width = 300;
  /** What the longest label needs, in CSS pixels. */
  private labelRoom = 34;
  private pending = 0;
  private readonly cells = new CellPicture();

  constructor() {
    super();
    this.cell = null;
    this.cursor = null;
    new ResizeController(this, () => this.measure());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    cancelAnimationFrame(this.pending);
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('labels')) this.labelRoom = 12 + this.labels.reduce((most, label) => Math.max(most, roughWidth(label)), 0);
    const before = changed.get('matrix') as Matrix | undefined;
    if (before !== undefined && before.keys !== this.matrix.keys) {
      this.cell = null;
      this.cursor = null;
    }
  }

  protected override updated(): void {
    const geometry = this.geometry();
    const { spacer, canvas, scroll } = this.parts();
    const { width, height } = this.viewSize(geometry);
    scroll?.style.setProperty('block-size', `${height + 2}px`);
    spacer?.style.setProperty('inline-size', `${Math.floor(geometry.left + this.matrix.keys * geometry.cell)}px`);
    spacer?.style.setProperty('block-size', `${Math.floor(geometry.top + this.matrix.queries * geometry.cell)}px`);
    canvas?.style.setProperty('inline-size', `${width}px`);
    canvas?.style.setProperty('block-size', `${height}px`);
    this.schedule();
  }

  /** Draws again, for a change of theme. */
  repaint(): void {
    this.schedule();
  }

  protected override render(): TemplateResult {
    const text = strings();
    return html`
      <div class="row zoom">
        ${button({ label: '−', description: text.zoomOut, onClick: () => this.zoom(1 / zoomStep) })}
        ${button({ label: '+', description: text.zoomIn, onClick: () => this.zoom(zoomStep) })}
        ${button({ label: text.fit, onClick: () => this.fit() })}
      </div>
      <div
        class="scroll"
        role="application"
        tabindex="0"
        aria-label=${this.description}
        @scroll=${this.schedule}
        @keydown=${this.pressed}
        @wheel=${this.wheeled}
        @pointermove=${this.pointed}
        @pointerleave=${this.left}
        @click=${this.clicked}
      >
        <div class="spacer"><canvas aria-hidden="true"></canvas></div>
      </div>
      <p class="readout" role="status">${this.readout()}</p>
    `;
  }

  private readout(): TemplateResult {
    const text = strings();
    if (this.cursor === null) return html`<span class="muted">${text.pointAt}</span>`;
    const { query, key } = this.cursor;
    const weight = this.matrix.values[query * this.matrix.keys + key] ?? 0;
    return html`<bdi>${text.readout(`‘${this.labels[query]}’`, `‘${this.labels[key]}’`, formatValue(weight, this.matrix.scale, text))}</bdi>`;
  }

  private geometry(): Geometry {
    const { queries, keys } = this.matrix;
    const left = Math.round(Math.max(34, Math.min(this.width * 0.28, this.labelRoom)));
    const top = Math.round(Math.max(34, Math.min(80, this.labelRoom)));
    const fitted = fittedCell(queries, keys, this.width - left - 1, Math.max(260, this.width) - top);
    return { queries, keys, left, top, cell: this.cell ?? fitted };
  }

  private viewSize(geometry: Geometry): { readonly width: number; readonly height: number } {
    const whole = geometry.top + geometry.queries * geometry.cell;
    return { width: this.width, height: Math.ceil(Math.min(whole + 1, Math.max(320, this.width))) };
  }

  private view(geometry: Geometry): View {
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
    const { scroll } = this.parts();
    const width = scroll?.clientWidth ?? this.clientWidth;
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.requestUpdate();
  }

  private readonly schedule = (): void => {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.paint());
  };

  private paint(): void {
    const { canvas } = this.parts();
    const context = canvas?.getContext('2d') ?? null;
    if (canvas === null || context === null) return;
    const geometry = this.geometry();
    const view = this.view(geometry);
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(view.width * ratio);
    const height = Math.round(view.height * ratio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const marks = { cursor: this.cursor, selected: this.selected };
    paintMatrix(context, this.matrix, this.labels, geometry, view, marks, canvasColours(this), ratio, this.cells);
  }

  private zoom(factor: number): void {
    const geometry = this.geometry();
    const fitted = this.fitted();
    const cell = zoomed(geometry.cell, factor, fitted);
    const { scroll } = this.parts();
    const centre = this.cursor ?? this.centre(geometry);
    this.cell = cell <= fitted ? null : cell;
    void this.updateComplete.then(() => {
      if (scroll === null) return;
      const view = this.view(this.geometry());
      scroll.scrollLeft = centre.key * cell - (view.width - geometry.left) / 2;
      scroll.scrollTop = centre.query * cell - (view.height - geometry.top) / 2;
    });
  }

  private fitted(): number {
    const { queries, keys, left, top } = this.geometry();
    return fittedCell(queries, keys, this.width - left - 1, Math.max(260, this.width) - top);
  }

  private centre(geometry: Geometry): { readonly query: number; readonly key: number } {
    const view = this.view(geometry);
    return {
      query: (view.scrollTop + (view.height - geometry.top) / 2) / geometry.cell,
      key: (view.scrollLeft + (view.width - geometry.left) / 2) / geometry.cell,
    };
  }

  private fit(): void {
    this.cell = null;
  }

  private hit(event: MouseEvent): Hit | null {
    const { canvas } = this.parts();
    if (canvas === null) return null;
    const box = canvas.getBoundingClientRect();
    const geometry = this.geometry();
    return hitTest(geometry, this.view(geometry), event.clientX - box.left, event.clientY - box.top);
  }

  private readonly pointed = (event: PointerEvent): void => {
    const hit = this.hit(event);
    this.cursor = hit?.part === 'cell' ? { query: hit.query, key: hit.key } : null;
  };

  private readonly left = (): void => {
    this.cursor = null;
  };

  private readonly clicked = (event: MouseEvent): void => {
    const hit = this.hit(event);
    if (hit === null) return;
    if (hit.part === 'query') this.onSelect(hit.query, 'row');
    else if (hit.part === 'key') this.onSelect(hit.key, 'column');
    else this.onSelect(this.direction === 'row' ? hit.query : hit.key, this.direction);
  };

  private readonly wheeled = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? zoomStep : 1 / zoomStep);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const geometry = this.geometry();
    const cursor = this.cursor ?? { query: 0, key: 0 };
    if (event.key === 'Enter' || event.key === ' ') {
      this.onSelect(this.direction === 'row' ? cursor.query : cursor.key, this.direction);
    } else if (event.key === 'Escape') this.onClear();
    else if (event.key === '+' || event.key === '=') this.zoom(zoomStep);
    else if (event.key === '-') this.zoom(1 / zoomStep);
    else if (event.key === '0') this.fit();
    else {
      const { queries, keys } = this.matrix;
      const control = event.ctrlKey || event.metaKey;
      const next = nextInGrid(event.key, control, { row: cursor.query, column: cursor.key }, queries, keys, 10);
      if (next === null) return;
      this.cursor = { query: next.row, key: next.column };
      const { scroll } = this.parts();
      const target = scrollTo(geometry, this.view(geometry), next.row, next.column);
      if (scroll !== null) {
        scroll.scrollLeft = target.left;
        scroll.scrollTop = target.top;
      }
    }
    event.preventDefault();
  };

  static override styles = [
    sharedStyles,
    css`
      .zoom {
        gap: 4px;
        margin-block-end: 4px;
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
        min-block-size: 1.4em;
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];
}

/** Near enough for a margin: wide scripts take a full em, others about half of one. */
function roughWidth(label: string): number {
  let width = 0;
  for (const character of label) width += (character.codePointAt(0) ?? 0) > 0x2e7f ? 11 : 6.3;
  return width;
}

customElements.define('loupe-head-matrix', HeadMatrix);

declare global {
  interface HTMLElementTagNameMap {
    'loupe-head-matrix': HeadMatrix;
  }
}
