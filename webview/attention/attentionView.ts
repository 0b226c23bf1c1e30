/** The Attention view: every head as a thumbnail, one head large, one token's weights as a table. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { AttentionViewIn, AttentionViewOut, AttentionWeightingChoice } from '../../src/shared/protocol/panel.ts';
import { button, checkbox, dropdown, progressRing } from '../ui/controls.ts';
import type { Host } from '../ui/host.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { visibleLabel, visibleText } from '../ui/visibleText.ts';
import { findSink, rowShares, withoutKey, withoutSink } from './sink.ts';
import { signedLegend, signedLegendStyles } from './signedLegend.ts';
import { type Direction, type Matrix, tokenWeights } from './tokenWeights.ts';
import { initialViewState, type Head, type HeadPlace, nextViewState, samePlace, type ViewState } from './viewState.ts';
import { scaleOf } from './valueScale.ts';
import { weightTable } from './weightTable.ts';
import './headGrid.ts';
import './headMatrix.ts';

/** A head as it is shown: with or without its sink. */
interface ShownHead {
  readonly matrix: Matrix;
  readonly sink: number;
}

export class AttentionView extends LitElement {
  static override properties = {
    state: { state: true },
    hideSink: { state: true },
    weighting: { state: true },
    direction: { state: true },
    selected: { state: true },
  };
  declare host: Host<AttentionViewOut>;
  declare private state: ViewState;
  declare private hideSink: boolean;
  /** What the user chose to see; the grid on screen may still be the one before. */
  declare weighting: AttentionWeightingChoice;
  declare private direction: Direction;
  /** The token whose row or column is marked, here and in the editor. */
  declare private selected: number | null;
  private labels: readonly string[] = [];
  private shown: ShownHead | null = null;
  private readonly themeChanged = new MutationObserver(() => this.repaint());

  constructor() {
    super();
    this.state = initialViewState;
    this.hideSink = false;
    this.weighting = 'plain';
    this.direction = 'row';
    this.selected = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const saved = this.host.readState();
    this.hideSink = saved['hideSink'] === true;
    this.weighting = saved['weighting'] === 'gradient' ? 'gradient' : 'plain';
    this.themeChanged.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    this.themeChanged.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.themeChanged.disconnect();
  }

  /** A message of the host. */
  receive(message: AttentionViewIn): void {
    this.state = nextViewState(this.state, message);
    const { grid, wanted } = this.state;
    if (message.type === 'grid') {
      if (this.state.notice !== null) this.remember({ weighting: 'plain' });
      this.labels = message.tokens.map((token) => visibleLabel(token.text));
      this.selected = null;
      this.shown = null;
      if (grid !== null && wanted !== null) this.host.post({ type: 'requestHead', layer: wanted.layer, head: wanted.head });
    }
    if (message.type === 'head' && this.state.head?.values === message.values) {
      this.prepare();
      if (this.selected !== null) this.mirror();
    }
  }

  protected override render(): TemplateResult {
    const text = strings();
    const { loading, phase, failure, unseen, notice, grid } = this.state;
    const weightedBy = grid?.weightedBy ?? null;
    return html`<main aria-label=${text.attentionView} aria-busy=${loading ? 'true' : 'false'}>
      <h1 class="visually-hidden">${text.attentionView}</h1>
      <p class="note muted">
        ${weightedBy === null ? text.notAttribution : html`<bdi>${text.weightedNote(quoted(weightedBy.label))}</bdi>`}
      </p>
      ${grid === null && !loading ? nothing : this.weightingField(text)}
      <div class="row">
        <span role="status" class="row">${loading ? html`${progressRing()} ${text.loading}` : nothing}</span>
        ${loading && phase !== '' ? html`<span class="muted">${phase}</span>` : nothing}
      </div>
      <div role="alert">
        ${
          failure === null
            ? nothing
            : html`<div class="box error">
                <p><code>${visibleText(failure.code)}</code> ${visibleText(failure.message)}</p>
                ${button({ label: text.refresh, onClick: () => this.host.post({ type: 'refresh' }) })}
              </div>`
        }
        ${
          notice === null
            ? nothing
            : html`<div class="box warning">
                <p>${text.plainInstead}</p>
                <p>${visibleText(notice.message)}</p>
              </div>`
        }
      </div>
      ${grid === null ? (loading || failure !== null ? nothing : html`<p class="muted">${unseen ? text.attentionUnseen : text.attentionEmpty}</p>`) : this.content(text)}
    </main>`;
  }

  private weightingField(text: Strings): TemplateResult {
    const { target } = this.state;
    const field = dropdown({
      label: text.weighting,
      value: this.weighting,
      choices: [
        { value: 'plain', label: text.weightingPlain },
        { value: 'gradient', label: text.weightingGradient(target === null ? text.theAnswer : quoted(target)) },
      ],
      onChange: (value) => this.changeWeighting(value === 'gradient' ? 'gradient' : 'plain'),
    });
    return html`<div class="row weighting"><span class="field"><span class="muted" aria-hidden="true">${text.weighting}</span>${field}</span></div>`;
  }

  private content(text: Strings): TemplateResult {
    const { grid, wanted } = this.state;
    return html`<div class="columns">
      <section class="heads">
        <div class="row spread">
          <h2>${text.heads}</h2>
          ${button({ label: text.refresh, onClick: () => this.host.post({ type: 'refresh' }) })}
        </div>
        <loupe-head-grid .grid=${grid} .open=${wanted} .onOpen=${(place: HeadPlace) => this.open(place)}></loupe-head-grid>
      </section>
      <section class="large">${this.large(text)}</section>
    </div>`;
  }

  private large(text: Strings): TemplateResult | typeof nothing {
    const { head, wanted } = this.state;
    if (wanted === null) return nothing;
    const title = html`<h2>${text.headTitle(wanted.layer, wanted.head)}</h2>`;
    if (head === null || this.shown === null) {
      const waiting = html`<p class="row" role="status">${progressRing()} ${text.loadingHead(wanted.layer, wanted.head)}</p>`;
      return html`${title}${this.state.failure === null ? waiting : nothing}`;
    }
    const { matrix, sink } = this.shown;
    const signed = matrix.scale.kind === 'signed';
    const sinkName = `‘${this.labels[sink] ?? ''}’`;
    return html`
      <div class="row spread">${title}${samePlace(head, wanted) || this.state.failure !== null ? nothing : progressRing()}</div>
      <div class="row options">
        <span class="field"
          ><span class="muted" aria-hidden="true">${text.direction}</span>${dropdown({
            label: text.direction,
            value: this.direction,
            choices: [
              { value: 'row', label: text.directionRow },
              { value: 'column', label: text.directionColumn },
            ],
            onChange: (value) => this.turn(value === 'column' ? 'column' : 'row'),
          })}</span
        >
        ${checkbox({ label: text.hideSink(sinkName), checked: this.hideSink, onChange: (hide) => this.changeHideSink(hide) })}
      </div>
      ${this.hideSink ? html`<p class="muted">${signed ? text.sinkHiddenSigned(sinkName) : text.sinkHidden(sinkName)}</p>` : nothing}
      ${matrix.scale.kind === 'signed' ? signedLegend(matrix.scale, text) : nothing}
      <loupe-head-matrix
        .matrix=${matrix}
        .labels=${this.labels}
        .direction=${this.direction}
        .selected=${this.marked()}
        .description=${this.description(head, text)}
        .onSelect=${(token: number, direction: Direction) => this.select(token, direction)}
        .onClear=${() => this.clear()}
      ></loupe-head-matrix>
      ${this.table(matrix, text)}
    `;
  }

  private description({ layer, head, queries, keys, weightedBy }: Head, text: Strings): string {
    const plain = text.matrix(layer, head, queries, keys);
    return weightedBy === null ? plain : `${plain} ${text.weightedNote(quoted(weightedBy.label))}`;
  }

  private table(matrix: Matrix, text: Strings): TemplateResult {
    const token = this.selected ?? this.state.highlighted;
    if (token === null || token >= matrix.queries) return html`<p class="muted">${text.pickMatrixToken}</p>`;
    const clear = this.selected === null ? nothing : button({ label: text.clearSelection, onClick: () => this.clear() });
    return html`<div class="weights">
      ${clear}${weightTable(tokenWeights(matrix, token, this.direction), matrix.scale, this.labels, token, this.direction, text)}
    </div>`;
  }

  private marked(): { readonly token: number; readonly direction: Direction } | null {
    const token = this.selected ?? this.state.highlighted;
    return token === null ? null : { token, direction: this.direction };
  }

  private open(place: HeadPlace): void {
    if (samePlace(place, this.state.wanted) && this.state.head !== null) return;
    this.state = { ...this.state, wanted: place };
    this.host.post({ type: 'requestHead', layer: place.layer, head: place.head });
  }

  private select(token: number, direction: Direction): void {
    this.selected = token;
    this.direction = direction;
    this.mirror();
  }

  private turn(direction: Direction): void {
    this.direction = direction;
    if (this.selected !== null) this.mirror();
  }

  private clear(): void {
    this.selected = null;
    this.mirror();
  }

  private changeHideSink(hide: boolean): void {
    this.remember({ hideSink: hide });
    this.prepare();
    if (this.selected !== null) this.mirror();
  }

  private changeWeighting(weighting: AttentionWeightingChoice): void {
    this.remember({ weighting });
    this.host.post({ type: 'setWeighting', weighting });
  }

  private remember(change: { readonly hideSink?: boolean; readonly weighting?: AttentionWeightingChoice }): void {
    this.hideSink = change.hideSink ?? this.hideSink;
    this.weighting = change.weighting ?? this.weighting;
    this.host.writeState({ hideSink: this.hideSink, weighting: this.weighting });
  }

  /** Draws the selected row or column on the prompt, in the editor. */
  private mirror(): void {
    const weights =
      this.selected === null || this.shown === null ? null : tokenWeights(this.shown.matrix, this.selected, this.direction);
    this.host.post({ type: 'selectToken', token: this.selected, weights });
  }

  private prepare(): void {
    const head: Head | null = this.state.head;
    if (head === null) return;
    const { queries, keys, values, weightedBy } = head;
    const sink = findSink(weightedBy === null ? values : rowShares(values, queries, keys), queries, keys);
    const remove = weightedBy === null ? withoutSink : withoutKey;
    const shown = this.hideSink ? remove(values, queries, keys, sink) : values;
    this.shown = { sink, matrix: { queries, keys, values: shown, scale: scaleOf(shown, weightedBy) } };
  }

  private repaint(): void {
    this.renderRoot.querySelector('loupe-head-grid')?.repaint();
    this.renderRoot.querySelector('loupe-head-matrix')?.repaint();
  }

  static override styles = [
    sharedStyles,
    signedLegendStyles,
    css`
      :host {
        container-type: inline-size;
      }
      main {
        padding: 8px 12px 24px;
      }
      .note {
        padding-block-end: 6px;
      }
      .columns {
        display: grid;
        gap: 14px 24px;
      }
      section {
        min-inline-size: 0;
      }
      .row.spread {
        margin-block-end: 4px;
      }
      .weights {
        position: relative;
        max-inline-size: 640px;
        margin-block-start: 8px;
      }
      .weights > vscode-button {
        position: absolute;
        inset-block-start: -3px;
        inset-inline-end: 0;
      }
      .weighting vscode-dropdown {
        max-inline-size: 100%;
      }
      .weighting,
      .options {
        margin-block-end: 4px;
      }
      @container (min-width: 720px) {
        .columns {
          grid-template-columns: minmax(220px, 2fr) 3fr;
          align-items: start;
        }
        .heads {
          --grid-height: 85vh;
        }
        .large {
          max-inline-size: 760px;
        }
      }
    `,
  ];
}

/** A target's name as it stands in a sentence, short enough for a list. */
function quoted(label: string): string {
  const characters = [...visibleLabel(label)];
  return `‘${characters.length > 24 ? `${characters.slice(0, 23).join('')}…` : characters.join('')}’`;
}

customElements.define('loupe-attention-view', AttentionView);
