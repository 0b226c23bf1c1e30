/** All heads as thumbnails, layers down and heads across: one canvas below, focusable cells above it. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { nextInGrid } from '../ui/rovingFocus.ts';
import { ResizeController } from '../ui/resizeController.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { canvasColours } from '../ui/themeColours.ts';
import { inkPixels } from './colourRamp.ts';
import { signedLegend, signedLegendStyles } from './signedLegend.ts';
import { extremeOf, formatValue, scaleOf, type ValueScale, weightScale } from './valueScale.ts';
import type { Grid, HeadPlace } from './viewState.ts';

const labelWidth = 22;
const smallestCell = 14;
const largestCellSide = 48;

export class HeadGrid extends LitElement {
  static override properties = {
    grid: { attribute: false },
    open: { attribute: false },
    focused: { state: true },
    cell: { state: true },
  };
  declare grid: Grid;
  /** The head that is shown large. */
  declare open: HeadPlace | null;
  declare onOpen: (place: HeadPlace) => void;
  declare private focused: HeadPlace | null;
  /** Side of a thumbnail in CSS pixels. */
  declare private cell: number;
  /** One for all heads, so that they can be compared. */
  private scale: ValueScale = weightScale;
  /** Of each head the value of largest size, signed; empty for plain attention. [layers × heads] */
  private extremes: readonly number[] = [];

  constructor() {
    super();
    this.focused = null;
    this.cell = smallestCell;
    new ResizeController(this, () => this.measure());
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('grid')) return;
    this.measure();
    const { thumbnails, weightedBy, layers, heads, size } = this.grid;
    this.scale = scaleOf(thumbnails, weightedBy);
    const ofHead = (head: number) => extremeOf(thumbnails.subarray(head * size * size, (head + 1) * size * size));
    this.extremes = weightedBy === null ? [] : numbers(layers * heads).map(ofHead);
  }

  protected override updated(changed: Map<string, unknown>): void {
    const container = this.renderRoot.querySelector<HTMLElement>('.grid');
    // The object model may set styles under a policy that forbids the attribute.
    container?.style.setProperty('--cell', `${this.cell}px`);
    container?.style.setProperty('--heads', String(this.grid.heads));
    if (changed.has('grid') || changed.has('cell')) this.paint();
    if (changed.has('open') || changed.has('grid')) this.showOpen();
  }

  /** Draws again, for a change of theme. */
  repaint(): void {
    this.paint();
  }

  protected override render(): TemplateResult {
    const text = strings();
    const { layers, heads } = this.grid;
    const stop = this.focused ?? this.open ?? { layer: 0, head: 0 };
    const everyColumn = Math.max(1, Math.ceil(16 / this.cell));
    return html`${this.scale.kind === 'signed' ? signedLegend(this.scale, text) : ''}
    <div class="scroll">
      <div class="grid" role="grid" aria-label=${text.headGrid} @keydown=${this.pressed} @click=${this.clicked} @focusin=${this.entered}>
        <canvas aria-hidden="true"></canvas>
        <div role="row" class="tr">
          <span role="columnheader" class="corner"><span class="visually-hidden">${text.layersAxis}</span></span>
          ${numbers(heads).map(
            (head) =>
              html`<span role="columnheader" class="axis">${head % everyColumn === 0 ? head : html`<span class="visually-hidden">${head}</span>`}</span>`,
          )}
        </div>
        ${numbers(layers).map(
          (layer) => html`<div role="row" class="tr">
            <span role="rowheader" class="axis side">${layer}</span>
            ${numbers(heads).map((head) => {
              const isOpen = this.open?.layer === layer && this.open.head === head;
              return html`<span
                role="gridcell"
                class="cell ${isOpen ? 'open' : ''}"
                tabindex=${stop.layer === layer && stop.head === head ? 0 : -1}
                aria-label=${this.label(layer, head, text)}
                aria-selected=${isOpen ? 'true' : 'false'}
                title=${this.label(layer, head, text)}
                data-layer=${layer}
                data-head=${head}
              ></span>`;
            })}
          </div>`,
        )}
      </div>
    </div>`;
  }

  private label(layer: number, head: number, text: Strings): string {
    const name = text.headLabel(layer, head);
    const extreme = this.extremes[layer * this.grid.heads + head];
    return extreme === undefined ? name : text.headEffect(name, formatValue(extreme, this.scale, text));
  }

  private measure(): void {
    const room = (this.clientWidth || 300) - labelWidth - 2;
    this.cell = Math.max(smallestCell, Math.min(largestCellSide, Math.floor(room / Math.max(1, this.grid.heads))));
  }

  private paint(): void {
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d') ?? null;
    if (canvas === null || context === null) return;
    const { layers, heads, size, thumbnails } = this.grid;
    const ratio = window.devicePixelRatio || 1;
    const side = this.cell * ratio;
    canvas.width = Math.round(heads * side);
    canvas.height = Math.round(layers * side);
    canvas.style.setProperty('inline-size', `${heads * this.cell}px`);
    canvas.style.setProperty('block-size', `${layers * this.cell}px`);
    const { inks } = canvasColours(this);
    const pixelsAcross = Math.max(1, Math.round((this.cell - 2) * ratio));
    for (let layer = 0; layer < layers; layer += 1) {
      for (let head = 0; head < heads; head += 1) {
        const row = (layer * heads + head) * size;
        const part = { row, rows: size, column: 0, columns: size };
        const pixels = inkPixels(thumbnails, size, part, pixelsAcross, pixelsAcross, inks, this.scale);
        context.putImageData(
          new ImageData(pixels, pixelsAcross, pixelsAcross),
          Math.round(head * side + ratio),
          Math.round(layer * side + ratio),
        );
      }
    }
  }

  /** Brings the open head into view, inside this list only. */
  private showOpen(): void {
    const scroll = this.renderRoot.querySelector('.scroll');
    if (scroll === null || this.open === null) return;
    const top = this.open.layer * this.cell;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    const bottom = top + this.cell + 20;
    if (bottom > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = bottom - scroll.clientHeight;
  }

  private readonly clicked = (event: Event): void => {
    const place = placeOf(event);
    if (place !== null) this.onOpen(place);
  };

  private readonly entered = (event: Event): void => {
    this.focused = placeOf(event) ?? this.focused;
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const place = placeOf(event);
    if (place === null) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.onOpen(place);
      return;
    }
    const { layers, heads } = this.grid;
    const next = nextInGrid(
      event.key,
      event.ctrlKey || event.metaKey,
      { row: place.layer, column: place.head },
      layers,
      heads,
      5,
    );
    if (next === null) return;
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>(`[data-layer="${next.row}"][data-head="${next.column}"]`)?.focus();
  };

  static override styles = [
    sharedStyles,
    signedLegendStyles,
    css`
      :host {
        /* Its layers stay below a list that opens over it. */
        isolation: isolate;
      }
      .scroll {
        overflow: auto;
        max-block-size: var(--grid-height, 42vh);
      }
      .grid {
        position: relative;
        display: grid;
        grid-template-columns: ${labelWidth}px repeat(var(--heads, 1), var(--cell, 20px));
        inline-size: max-content;
        padding-block-end: 2px;
      }
      canvas {
        position: absolute;
        inset-block-start: 16px;
        inset-inline-start: ${labelWidth}px;
      }
      .tr {
        display: contents;
      }
      .axis,
      .corner {
        font-size: 10px;
        line-height: 16px;
        text-align: center;
        color: var(--vscode-descriptionForeground);
      }
      .corner,
      [role='columnheader'] {
        position: sticky;
        inset-block-start: 0;
        z-index: 2;
        background: var(--vscode-sideBar-background, var(--vscode-editor-background));
      }
      .side {
        padding-inline-end: 5px;
        text-align: end;
        line-height: var(--cell, 20px);
      }
      .cell {
        position: relative;
        block-size: var(--cell, 20px);
        border: 1px solid transparent;
        cursor: pointer;
        background-clip: padding-box;
        box-shadow: inset 0 0 0 1px var(--vscode-panel-border, transparent);
      }
      .cell:hover {
        box-shadow: inset 0 0 0 1px var(--vscode-foreground);
      }
      .cell.open {
        outline: 2px solid var(--vscode-focusBorder);
        outline-offset: -1px;
      }
      .cell:focus-visible {
        outline: 2px solid var(--vscode-foreground);
        outline-offset: -1px;
        z-index: 1;
      }
    `,
  ];
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function placeOf(event: Event): HeadPlace | null {
  const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-layer]');
  return cell === null ? null : { layer: Number(cell.dataset['layer']), head: Number(cell.dataset['head']) };
}

customElements.define('loupe-head-grid', HeadGrid);

declare global {
  interface HTMLElementTagNameMap {
    'loupe-head-grid': HeadGrid;
  }
}
