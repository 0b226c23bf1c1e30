/** The Explain panel: one explanation, from the first provisional tint to the final numbers. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import type { ExplainPanelIn, ExplainPanelOut } from '../../src/shared/protocol/panel.ts';
import { tabs } from '../ui/controls.ts';
import type { Host } from '../ui/host.ts';
import { sharedStyles, tintStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { visibleText } from '../ui/visibleText.ts';
import { comparisonBox } from './comparisonView.ts';
import { completenessLine } from './completenessView.ts';
import { drawPicture } from './drawPicture.ts';
import { faithfulnessBadge, faithfulnessStyles, faithfulnessTable } from './faithfulnessView.ts';
import { headerStyles, modelLine, settingsLine, stageLine, targetLine } from './panelHeader.ts';
import { initialState, nextState, type PanelState, sameUnits } from './panelState.ts';
import { rankingTable } from './rankingTable.ts';
import { type ScoreSummary, summariseScores } from './scoreSummary.ts';
import { tableStep, tokenTable } from './tokenTable.ts';
import './matrixView.ts';
import './promptView.ts';
import './responseView.ts';

export class ExplainPanel extends LitElement {
  static override properties = {
    state: { state: true },
    selected: { state: true },
    showHidden: { state: true },
    tab: { state: true },
    limit: { state: true },
  };
  declare host: Host<ExplainPanelOut>;
  declare private state: PanelState;
  declare private selected: number | null;
  declare private showHidden: boolean;
  declare private tab: string;
  /** Rows the tables draw. */
  declare private limit: number;
  private summary: ScoreSummary | null = null;
  /** Of what is drawn: the scores, or a difference. */
  private drawn: ScoreSummary | null = null;

  constructor() {
    super();
    this.state = initialState;
    this.selected = null;
    this.showHidden = false;
    this.tab = 'ranking';
    this.limit = tableStep;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const saved = this.host.readState();
    if (typeof saved['tab'] === 'string') this.tab = saved['tab'];
    if (typeof saved['showHidden'] === 'boolean') this.showHidden = saved['showHidden'];
  }

  /** A message of the host. */
  receive(message: ExplainPanelIn): void {
    if (message.type === 'drawPicture') {
      void drawPicture(message.svg).then((bytes) => this.host.post({ type: 'picture', bytes }));
      return;
    }
    const before = this.state.explanation;
    this.state = nextState(this.state, message);
    if (message.type === 'highlight') this.selected = message.unit;
    if (message.type === 'explanation' && !sameUnits(before, message.explanation)) {
      this.selected = null;
      this.limit = tableStep;
    }
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('state') && !changed.has('showHidden')) return;
    const { explanation, comparison } = this.state;
    this.summary = explanation === null ? null : summariseScores(explanation, this.showHidden, this.state.intensity);
    this.drawn = this.summary;
    if (explanation === null || comparison === null) return;
    this.drawn = summariseScores(
      { units: explanation.units, scores: [...comparison.scores] },
      this.showHidden,
      this.state.intensity,
    );
  }

  protected override render(): TemplateResult {
    const text = strings();
    const { state } = this;
    const post = (message: ExplainPanelOut) => this.host.post(message);
    const { explanation } = state;
    return html`<main aria-label=${text.explainPanel} aria-busy=${state.running ? 'true' : 'false'}>
      <header>
        <h1 class="visually-hidden">${text.explainPanel}</h1>
        ${modelLine(explanation, post, state, text)} ${settingsLine(state, post, text)}
        ${explanation === null ? nothing : targetLine(explanation, text)} ${stageLine(state, post, text)}
        ${explanation === null ? nothing : completenessLine(explanation, text)}
        ${explanation === null ? nothing : faithfulnessBadge(explanation, state, () => post({ type: 'checkFully' }), text)}
      </header>
      <div role="alert">${this.failure(text)}</div>
      ${explanation === null || this.summary === null ? this.emptyState(text) : this.body(explanation, this.summary, text)}
    </main>`;
  }

  private failure(text: Strings): TemplateResult | typeof nothing {
    const { failure } = this.state;
    if (failure === null) return nothing;
    if (failure.code === 'E_CANCELLED') return html`<p class="box">${text.cancelled}</p>`;
    // A message of the editor ends in the code, which stands in the first line here.
    const ending = ` (${failure.code})`;
    const message = failure.message.endsWith(ending) ? failure.message.slice(0, -ending.length) : failure.message;
    return html`<div class="box error">
      <p><strong>${text.failed}</strong> <code>${visibleText(failure.code)}</code></p>
      <p class="message">${visibleText(message)}</p>
    </div>`;
  }

  private emptyState(text: Strings): TemplateResult {
    return this.state.running || this.state.failure !== null ? html`` : html`<p class="empty muted">${text.empty}</p>`;
  }

  private body(explanation: Explanation, summary: ScoreSummary, text: Strings): TemplateResult {
    return html`
      ${warningList(explanation, text)}
      ${comparisonBox(this.state.comparison, () => this.host.post({ type: 'endComparison' }), text)}
      <section>
        <loupe-prompt-view
          .explanation=${explanation}
          .summary=${this.drawn ?? summary}
          .comparison=${this.state.comparison}
          .showHidden=${this.showHidden}
          .selected=${this.selected}
          .provisional=${this.state.stage !== 'final'}
          .onSelect=${(unit: number) => this.select(unit)}
          .intensity=${this.state.intensity}
          .onShowHidden=${(show: boolean) => this.changeShowHidden(show)}
          .onIntensity=${(intensity: number, kept: boolean) => this.changeIntensity(intensity, kept)}
        ></loupe-prompt-view>
      </section>
      <section>
        <loupe-response-view
          .explanation=${explanation}
          .onExplain=${(target: Extract<ExplainPanelOut, { type: 'explainTarget' }>['target']) =>
            this.host.post({ type: 'explainTarget', target })}
          .onAskContrast=${(at: number) => this.host.post({ type: 'askContrast', at })}
        ></loupe-response-view>
      </section>
      <section>${this.details(explanation, summary, text)}</section>
    `;
  }

  private details(explanation: Explanation, summary: ScoreSummary, text: Strings): TemplateResult {
    const more = () => {
      this.limit += tableStep;
    };
    const contents: Record<string, () => TemplateResult> = {
      ranking: () => rankingTable(explanation, summary, this.limit, text, more),
      tokens: () => tokenTable(explanation.tokens, this.limit, text, more),
      faithfulness: () => faithfulnessTable(explanation, text),
      ...(explanation.matrix === undefined ? {} : { matrix: () => this.matrix(explanation) }),
    };
    const selected = this.tab in contents ? this.tab : 'ranking';
    const labels: Record<string, string> = {
      ranking: text.tabRanking,
      tokens: text.tabTokens,
      faithfulness: text.tabFaithfulness,
      matrix: text.tabMatrix,
    };
    return tabs({
      label: text.tables,
      selected,
      panels: Object.entries(contents).map(([id, content]) => ({
        id,
        label: labels[id] ?? id,
        content: id === selected ? html`<div class="table">${content()}</div>` : nothing,
      })),
      onChange: (id) => {
        this.tab = id;
        this.saveState();
      },
    });
  }

  private matrix(explanation: Explanation): TemplateResult {
    return html`<loupe-matrix-view
      .explanation=${explanation}
      .showHidden=${this.showHidden}
      .intensity=${this.state.intensity}
      .onSelect=${(unit: number) => this.select(unit)}
    ></loupe-matrix-view>`;
  }

  private select(unit: number): void {
    this.selected = unit;
    this.host.post({ type: 'revealUnit', unit });
  }

  private changeShowHidden(show: boolean): void {
    this.showHidden = show;
    this.host.post({ type: 'setShowHidden', show });
    this.saveState();
  }

  /** Drawn at once here; the host draws it in the editor. */
  private changeIntensity(intensity: number, kept: boolean): void {
    this.state = nextState(this.state, { type: 'intensity', intensity });
    this.host.post({ type: 'setIntensity', intensity, kept });
  }

  private saveState(): void {
    this.host.writeState({ tab: this.tab, showHidden: this.showHidden });
  }

  static override styles = [
    sharedStyles,
    tintStyles,
    headerStyles,
    faithfulnessStyles,
    css`
      main {
        max-inline-size: 1100px;
        padding: 12px 16px 24px;
      }
      header {
        display: grid;
        /* As wide as the panel, however long a method's name is. */
        grid-template-columns: minmax(0, 1fr);
        gap: 5px;
      }
      section {
        margin-block-start: 16px;
      }
      .box {
        margin-block-start: 8px;
      }
      .warnings {
        display: grid;
        gap: 2px;
        margin-block-end: 0;
        list-style: none;
      }
      .message {
        overflow-wrap: anywhere;
      }
      code {
        font-family: var(--vscode-editor-font-family, monospace);
        background: none;
      }
      .empty {
        margin-block-start: 24px;
      }
      .table {
        inline-size: 100%;
        overflow-x: auto;
      }
    `,
  ];
}

function warningList(explanation: Explanation, text: Strings): TemplateResult | typeof nothing {
  const { warnings } = explanation;
  if (warnings.length === 0) return nothing;
  return html`<ul class="box warning warnings" aria-label=${text.warnings(warnings.length)}>
    ${warnings.map((warning) => html`<li><span class="muted">${visibleText(warning.code)}</span> ${visibleText(warning.message)}</li>`)}
  </ul>`;
}

customElements.define('loupe-explain-panel', ExplainPanel);
