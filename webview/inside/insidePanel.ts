/** The Inside panel: a tool, its form, and the blocks it gave. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type {
  InsideDraft,
  InsidePanelIn,
  InsidePanelOut,
  ShownResult,
  ToolChoice,
} from '../../src/shared/protocol/insidePanel.ts';
import { hasCsv } from '../../src/shared/inspection/blockCsv.ts';
import type { Block } from '../../src/shared/inspection/blocks.ts';
import { button, groupedDropdown, progressRing } from '../ui/controls.ts';
import { formatDuration } from '../ui/formatNumber.ts';
import type { Host } from '../ui/host.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { visibleLabel, visibleText } from '../ui/visibleText.ts';
import type { BlockContext } from './blocks/blockContext.ts';
import { blockView } from './blocks/blockViews.ts';
import { curveStyles } from './blocks/curveBlock.ts';
import { editStyles } from './blocks/editBlock.ts';
import { initialInsideState, type InsideState, nextInsideState } from './insideState.ts';
import { type InsideStrings, insideStrings } from './insideStrings.ts';
import { formStyles, parameterForm } from './parameterForm.ts';
import { type FieldTexts, parameterValues } from './parameterValues.ts';
import { emptyTarget, type TargetFields, targetForm, targetOf } from './targetForm.ts';

export class InsidePanel extends LitElement {
  static override properties = {
    state: { state: true },
    fields: { state: true },
    target: { state: true },
    showProblems: { state: true },
    showsParameters: { state: true },
  };
  declare host: Host<InsidePanelOut>;
  declare private state: InsideState;
  /** What stands in the fields of the selected tool. */
  declare private fields: FieldTexts;
  declare private target: TargetFields;
  /** What is wrong is said of a field once Run was pressed. */
  declare private showProblems: boolean;
  declare private showsParameters: boolean;
  private marked = '';

  constructor() {
    super();
    this.state = initialInsideState;
    this.fields = {};
    this.target = emptyTarget;
    this.showProblems = false;
    this.showsParameters = false;
  }

  /** A message of the host. */
  receive(message: InsidePanelIn): void {
    const before = this.state.selected;
    this.state = nextInsideState(this.state, message);
    if (this.state.selected !== before) {
      const tool = this.state.tools.find(({ id }) => id === this.state.selected);
      this.fields = {};
      this.showProblems = false;
      this.showsParameters = tool !== undefined && Object.keys(this.values(tool, insideStrings()).problems).length > 0;
    }
    if (message.type === 'result') this.marked = '';
    if (message.type === 'draft') Object.assign(this, message.draft);
    if (message.type === 'text') this.change({ fields: { ...this.fields, [message.parameter]: message.text } });
  }

  protected override render(): TemplateResult {
    const text = insideStrings();
    const { state } = this;
    const tool = state.tools.find(({ id }) => id === state.selected);
    return html`<main aria-label=${text.panel} aria-busy=${state.running ? 'true' : 'false'}>
      <h1 class="visually-hidden">${text.panel}</h1>
      <header>
        ${this.toolLine(text)} ${tool === undefined ? nothing : html`<p class="question">${tool.question}</p>`}
        ${tool === undefined ? nothing : this.form(tool, text)} ${this.runLine(tool, text)}
      </header>
      <div role="alert">${this.failure(text)}</div>
      ${state.result === null ? this.emptyState(text) : this.results(state.result, text)}
    </main>`;
  }

  private toolLine(text: InsideStrings): TemplateResult {
    const { tools, selected, subject } = this.state;
    const about =
      subject === null ? text.noSubject : (subject.selection ? text.aboutSelection : text.about)(visibleLabel(subject.document));
    return html`<div class="row">
      <span class="muted" aria-hidden="true">${text.tool}</span>
      ${groupedDropdown({
        label: text.tool,
        value: selected,
        choices: tools.map(({ id, label, family, question, unavailable }) => ({
          value: id,
          label: unavailable === null ? label : `${label}: ${unavailable}`,
          group: family,
          description: question,
          disabled: unavailable !== null,
        })),
        onChange: (tool) => this.host.post({ type: 'selectTool', tool }),
      })}
      <bdi class="muted subject">${about}</bdi>
    </div>`;
  }

  private form(tool: ToolChoice, text: InsideStrings): TemplateResult {
    const { files, subject } = this.state;
    const { problems } = this.values(tool, text);
    const target = tool.usesTarget
      ? targetForm(this.target, subject, text, (target) => {
          this.change({ target });
        })
      : nothing;
    if (tool.parameters.length === 0) return html`${target}`;
    return html`${target}
      <details
        .open=${live(this.showsParameters)}
        @toggle=${(event: Event) => {
          this.showsParameters = (event.currentTarget as HTMLDetailsElement).open;
        }}
      >
        <summary
          @click=${(event: Event) => {
            // The browser tells of a toggle later; what is drawn in between would close it again.
            event.preventDefault();
            this.showsParameters = !this.showsParameters;
          }}
        >
          ${text.parameters}
        </summary>
        ${parameterForm(tool.parameters, {
          fields: this.fields,
          files,
          problems: this.showProblems ? problems : {},
          text,
          onField: (id, value) => {
            this.change({ fields: { ...this.fields, [id]: value } });
          },
          onPickDocument: (parameter) => this.host.post({ type: 'pickDocument', parameter }),
          onPickFile: (parameter) => this.host.post({ type: 'pickFile', parameter }),
        })}
      </details>`;
  }

  /** The host keeps what was typed: the page forgets everything while it is hidden. */
  private change(change: Partial<InsideDraft>): void {
    Object.assign(this, change);
    this.host.post({ type: 'draft', draft: { fields: this.fields, target: this.target } });
  }

  private runLine(tool: ToolChoice | undefined, text: InsideStrings): TemplateResult {
    const { running, progress, result, subject } = this.state;
    const counts = progress !== null && progress.total > 0 ? `${progress.done}/${progress.total}` : '';
    const phase = progress?.phase ?? '';
    const label = result?.tool === this.state.selected ? text.runAgain : text.run;
    return html`<div class="row run">
      ${button({
        label,
        appearance: 'primary',
        disabled: tool === undefined || tool.unavailable !== null || subject === null,
        onClick: () => tool !== undefined && this.run(tool, text),
      })}
      ${running ? button({ label: text.cancel, onClick: () => this.host.post({ type: 'cancel' }) }) : nothing}
      ${running ? progressRing() : nothing}
      <span role="status">${running ? visibleText(phase === '' ? text.running : phase) : ''}</span>
      <span class="muted">${running ? counts : ''}</span>
    </div>`;
  }

  private values(tool: ToolChoice, text: InsideStrings) {
    return parameterValues(tool.parameters, this.fields, this.state.files, text);
  }

  private run(tool: ToolChoice, text: InsideStrings): void {
    const { values, problems } = this.values(tool, text);
    const { target, isReady } = targetOf(this.target, this.state.subject);
    this.showProblems = true;
    const [wrong] = Object.keys(problems);
    if (wrong !== undefined) {
      this.showsParameters = true;
      void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#field-${CSS.escape(wrong)}`)?.focus());
      return;
    }
    if (tool.usesTarget && !isReady) {
      this.renderRoot.querySelector<HTMLElement>('.target input')?.focus();
      return;
    }
    this.state = nextInsideState(this.state, { type: 'progress', phase: '', done: 0, total: 0 });
    this.host.post({ type: 'run', tool: tool.id, parameters: values, target: tool.usesTarget ? target : { kind: 'next' } });
  }

  private failure(text: InsideStrings): TemplateResult | typeof nothing {
    const { failure } = this.state;
    if (failure === null) return nothing;
    if (failure.code === 'E_CANCELLED') return html`<p class="box">${text.cancelled}</p>`;
    return html`<div class="box error">
      <p><strong>${text.failed}</strong> <code>${visibleText(failure.code)}</code></p>
      <p class="message">${visibleText(failure.message)}</p>
    </div>`;
  }

  private emptyState(text: InsideStrings): TemplateResult {
    return this.state.running || this.state.failure !== null ? html`` : html`<p class="empty muted">${text.empty}</p>`;
  }

  private results(result: ShownResult, text: InsideStrings): TemplateResult {
    const { milliseconds, forwardPasses } = result.cost;
    const passes = String(Math.round(forwardPasses * 10) / 10);
    return html`<div class="results">
      <div class="row spread">
        <h2>${text.resultOf(visibleLabel(result.label), visibleLabel(this.state.document))}</h2>
        <span class="row">
          <span class="muted">${text.cost(formatDuration(milliseconds), passes)}</span>
          ${button({ label: text.exportJson, onClick: () => this.host.post({ type: 'export', block: null }) })}
        </span>
      </div>
      <div role="status">${this.state.stale ? html`<p class="box warning">${text.stale}</p>` : nothing}</div>
      ${
        result.warnings.length === 0
          ? nothing
          : html`<ul class="box warning warnings" aria-label=${text.warnings}>
              ${result.warnings.map(({ code, message }) => html`<li><span class="muted">${visibleText(code)}</span> ${visibleText(message)}</li>`)}
            </ul>`
      }
      ${result.blocks.map((block, index) => this.block(block, index, result, text))}
    </div>`;
  }

  private block(block: Block, index: number, result: ShownResult, text: InsideStrings): TemplateResult | typeof nothing {
    const context: BlockContext = {
      index,
      tokens: result.tokens,
      promptText: result.promptText,
      highlighted: this.state.highlighted,
      isDrawn: this.state.drawn === index,
      text,
      onMark: (tokens) => this.mark(tokens),
      onReveal: (tokens) => {
        if (tokens.length > 0) this.host.post({ type: 'revealTokens', tokens });
      },
      onApply: () => this.host.post({ type: 'applyEdit', block: index }),
      onDraw: (draw) => this.host.post({ type: 'drawScores', block: draw ? index : null }),
    };
    const drawn = blockView(block, context);
    if (drawn === null) return nothing;
    const caption = 'caption' in block ? block.caption : undefined;
    return html`<section data-kind=${block.kind}>
      <div class="row spread heading">
        ${block.title === undefined ? nothing : html`<h3><bdi>${visibleText(block.title)}</bdi></h3>`}
        ${hasCsv(block) ? this.csvButton(block, index, text) : nothing}
      </div>
      ${caption === undefined ? nothing : html`<p class="muted"><bdi>${visibleText(caption)}</bdi></p>`} ${drawn}
    </section>`;
  }

  private csvButton({ title = '' }: Block, index: number, text: InsideStrings): TemplateResult {
    const onClick = () => this.host.post({ type: 'export', block: index });
    return button({ label: text.exportCsv, description: text.exportCsvOf(visibleLabel(title)), onClick });
  }

  /** Only news: the pointer moves within one cell many times. */
  private mark(tokens: readonly number[]): void {
    const news = tokens.join(' ');
    if (news === this.marked) return;
    this.marked = news;
    this.host.post({ type: 'markTokens', tokens });
  }

  static override styles = [
    sharedStyles,
    formStyles,
    curveStyles,
    editStyles,
    css`
      main {
        padding: 12px 16px 24px;
      }
      header {
        max-inline-size: 760px;
      }
      .question {
        margin-block: 4px;
      }
      .run {
        min-block-size: 26px;
        margin-block: 8px;
      }
      .subject {
        overflow-wrap: anywhere;
      }
      section {
        margin-block-start: 16px;
      }
      h3 {
        margin: 0 0 2px;
        font-size: 13px;
        font-weight: 600;
      }
      .box {
        margin-block-start: 6px;
      }
      .heading {
        flex-wrap: nowrap;
        align-items: start;
      }
      .finding {
        --box-edge: var(--vscode-charts-blue, var(--vscode-focusBorder));
      }
      .warnings {
        display: grid;
        gap: 2px;
        margin-block-end: 0;
        list-style: none;
      }
      .words p,
      .message {
        max-inline-size: 760px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      summary {
        cursor: pointer;
        padding-block: 2px;
      }
      code {
        font-family: var(--vscode-editor-font-family, monospace);
        background: none;
      }
      .empty {
        margin-block-start: 24px;
      }
      .results {
        border-block-start: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        padding-block-start: 8px;
      }
    `,
  ];
}

customElements.define('loupe-inside-panel', InsidePanel);
