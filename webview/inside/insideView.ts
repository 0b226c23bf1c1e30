/** The Inside panel: a tool, its form, and what it found, block by block. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { InsidePanelIn, InsidePanelOut } from '../../src/shared/protocol/insidePanel.ts';
import type { ToolDescription, ToolResult } from '../../src/shared/protocol/tools.ts';
import { button, groupedDropdown, progressRing } from '../ui/controls.ts';
import { formatDuration } from '../ui/formatNumber.ts';
import type { Host } from '../ui/host.ts';
import { sharedStyles, tintStyles } from '../ui/sharedStyles.ts';
import { visibleText } from '../ui/visibleText.ts';
import { blockView, type BlockContext } from './blocks/blockView.ts';
import { blockStyles } from './blocks/blockStyles.ts';
import { emptyTarget, missingField, parametersOf, type TargetForm, targetForm, targetOf, type Typed } from './formState.ts';
import { insideStrings } from './insideStrings.ts';
import { toolForm } from './toolForm.ts';

interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export class InsideView extends LitElement {
  static override properties = {
    tools: { state: true },
    tool: { state: true },
    typed: { state: true },
    target: { state: true },
    files: { state: true },
    progress: { state: true },
    failure: { state: true },
    result: { state: true },
    note: { state: true },
    cursor: { state: true },
    drawn: { state: true },
  };
  declare host: Host<InsidePanelOut>;
  declare private tools: readonly ToolDescription[];
  declare private tool: string;
  /** By tool. */
  declare private typed: Readonly<Record<string, Typed>>;
  declare private target: TargetForm;
  declare private files: Readonly<Record<string, string>>;
  declare private progress: Progress | null;
  declare private failure: { readonly code: string; readonly message: string } | null;
  declare private result: ToolResult | null;
  declare private note: 'stale' | 'stopped' | 'missing' | null;
  declare private cursor: number | null;
  /** The block whose scores are on the prompt. */
  declare private drawn: number | null;

  constructor() {
    super();
    this.tools = [];
    this.tool = '';
    this.typed = {};
    this.target = emptyTarget;
    this.files = {};
    this.progress = null;
    this.failure = null;
    this.result = null;
    this.note = null;
    this.cursor = null;
    this.drawn = null;
  }

  /** A message of the host. */
  receive(message: InsidePanelIn): void {
    switch (message.type) {
      case 'tools':
        this.tools = message.tools;
        this.choose(message.tool);
        this.target = targetForm(message.target);
        return;
      case 'progress':
        this.progress = message;
        return;
      case 'result':
        Object.assign(this, { result: message.result, progress: null, failure: null, note: null, drawn: null });
        return;
      case 'failed':
        Object.assign(this, { failure: message, progress: null });
        return;
      case 'stopped':
        Object.assign(this, { progress: null, note: 'stopped' });
        return;
      case 'stale':
        this.note = 'stale';
        return;
      case 'file':
        this.files = { ...this.files, [message.parameter]: message.name };
        return;
      case 'cursor':
        this.cursor = message.token;
    }
  }

  protected override render(): TemplateResult {
    const text = insideStrings();
    const tool = this.tools.find(({ id }) => id === this.tool);
    return html`<main aria-label=${text.title} aria-busy=${this.progress === null ? 'false' : 'true'}>
      <h1 class="visually-hidden">${text.title}</h1>
      ${tool === undefined ? nothing : this.header(tool)}
      <div role="alert">
        ${
          this.failure === null
            ? nothing
            : html`<div class="box error"><code>${visibleText(this.failure.code)}</code> ${visibleText(this.failure.message)}</div>`
        }
      </div>
      ${this.note === null ? nothing : html`<p class="box warning">${this.noteText(tool)}</p>`}
      ${this.result === null ? html`<p class="muted">${text.empty}</p>` : this.content(this.result)}
    </main>`;
  }

  private header(tool: ToolDescription): TemplateResult {
    const text = insideStrings();
    const running = this.progress !== null;
    return html`<div class="row">
        <span class="field"
          ><span class="muted" aria-hidden="true">${text.tool}</span>
          ${groupedDropdown({
            label: text.tool,
            value: this.tool,
            choices: this.tools.map(({ id, label, family, question, available }) => ({
              value: id,
              label,
              group: family,
              description: question,
              disabled: !available,
            })),
            onChange: (id) => this.choose(id),
          })}</span
        >
        ${button({ label: text.run, appearance: 'primary', onClick: () => this.run(tool) })}
        ${running ? button({ label: text.cancel, onClick: () => this.host.post({ type: 'cancel' }) }) : nothing}
      </div>
      <p class="muted">${tool.question}</p>
      ${toolForm({
        tool,
        typed: this.typed[tool.id] ?? {},
        target: this.target,
        files: this.files,
        text,
        onType: (parameter, value) => {
          this.typed = { ...this.typed, [tool.id]: { ...this.typed[tool.id], [parameter]: value } };
        },
        onTarget: (target) => {
          this.target = target;
        },
        onFile: (parameter) => this.host.post({ type: 'pickFile', parameter }),
      })}
      <div role="status" class="row">${running ? this.progressLine() : nothing}</div>`;
  }

  private progressLine(): TemplateResult {
    const { phase = '', done = 0, total = 0 } = this.progress ?? {};
    const share = total > 0 ? ` ${Math.round((100 * done) / total)} %` : '';
    return html`<span class="ring">${progressRing()}</span> ${insideStrings().running}: ${visibleText(phase)}${share}`;
  }

  private content(result: ToolResult): TemplateResult {
    const text = insideStrings();
    const { milliseconds, forwardPasses } = result.cost;
    const context = (index: number): BlockContext => ({
      text,
      result,
      cursor: this.cursor,
      isDrawn: this.drawn === index,
      mark: (tokens) => this.host.post({ type: 'mark', tokens: tokens === undefined ? null : [...tokens] }),
      draw: (on) => {
        this.drawn = on ? index : null;
        this.host.post({ type: 'draw', block: this.drawn });
      },
      apply: () => this.host.post({ type: 'apply', block: index }),
    });
    return html`<h2>${result.label}</h2>
      ${result.warnings.map(({ code, message }) => html`<p class="box warning"><code>${code}</code> ${visibleText(message)}</p>`)}
      ${result.blocks.map((block, index) => blockView(block, context(index)))}
      <p class="muted">${text.cost(formatDuration(milliseconds), forwardPasses.toFixed(1))}</p>`;
  }

  private choose(tool: string): void {
    if (tool === this.tool) return;
    this.tool = tool;
    this.files = {};
    this.note = null;
  }

  private run(tool: ToolDescription): void {
    const typed = this.typed[tool.id] ?? {};
    this.failure = null;
    this.note = missingField(tool, typed, this.files) === null ? null : 'missing';
    if (this.note !== null) return;
    this.progress = { phase: '', done: 0, total: 0 };
    this.host.post({ type: 'run', tool: tool.id, parameters: parametersOf(tool, typed), target: targetOf(this.target) });
  }

  private noteText(tool: ToolDescription | undefined): string {
    const text = insideStrings();
    if (this.note !== 'missing' || tool === undefined) return this.note === 'stale' ? text.stale : text.stopped;
    return text.required(missingField(tool, this.typed[tool.id] ?? {}, this.files)?.label ?? '');
  }

  static override styles = [
    sharedStyles,
    tintStyles,
    blockStyles,
    css`
      main {
        display: grid;
        gap: 10px;
        padding: 12px 16px;
      }
      .form {
        display: flex;
        flex-wrap: wrap;
        align-items: start;
        gap: 6px 14px;
      }
      input[type='text'],
      input[type='number'],
      textarea {
        padding: 2px 6px;
        border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, var(--vscode-panel-border, transparent)));
        border-radius: 2px;
        background: var(--vscode-input-background);
        color: var(--vscode-input-foreground, var(--vscode-foreground));
        font: inherit;
      }
      input[type='number'] {
        inline-size: 80px;
        text-align: start;
      }
      textarea {
        inline-size: min(60ch, 100%);
        resize: vertical;
      }
    `,
  ];
}

customElements.define('loupe-inside-view', InsideView);
