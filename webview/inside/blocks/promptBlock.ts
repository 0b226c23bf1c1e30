/** Scores on the prompt, token by token: one tab stop, arrow keys move, the chosen token's number stands below. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { paletteStep } from '../../../src/shared/colourScale.ts';
import type { PromptBlock } from '../../../src/shared/inspection/blocks.ts';
import { checkbox } from '../../ui/controls.ts';
import { formatScore } from '../../ui/formatNumber.ts';
import { nextInList } from '../../ui/rovingFocus.ts';
import { sharedStyles, tintClass, tintStyles } from '../../ui/sharedStyles.ts';
import { quotedLabel, visibleLabel, visibleText } from '../../ui/visibleText.ts';
import { type BlockContext, unitText } from './blockContext.ts';

export class PromptBlockView extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    chosen: { state: true },
  };
  declare block: PromptBlock;
  declare context: BlockContext;
  declare private chosen: number | null;
  private maximum = 0;

  constructor() {
    super();
    this.chosen = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('block')) {
      this.chosen = null;
      this.maximum = this.block.scores.reduce((most, score) => (Number.isNaN(score) ? most : Math.max(most, Math.abs(score))), 0);
    }
    const before = changed.get('context') as BlockContext | undefined;
    if (before !== undefined && before.highlighted !== this.context.highlighted) this.chosen = this.context.highlighted;
  }

  protected override render(): TemplateResult {
    const { block, context } = this;
    const { text, tokens } = context;
    return html`<div
        class="prompt mono"
        role="listbox"
        aria-label=${text.promptTokens(visibleLabel(block.title))}
        @click=${this.clicked}
        @keydown=${this.pressed}
      >${tokens.map((_, token) => this.token(token))}</div>
      <div class="row spread below">
        <p role="status">${this.chosen === null ? html`<span class="muted">${text.pickToken}</span>` : html`<bdi>${this.spoken(this.chosen)}</bdi>`}</p>
        ${checkbox({ label: text.drawInEditor, checked: context.isDrawn, onChange: (draw) => context.onDraw(draw) })}
      </div>`;
  }

  private token(token: number): TemplateResult {
    const shownText = this.context.tokens[token]?.text ?? '';
    const isChosen = token === this.chosen;
    const isStop = isChosen || (this.chosen === null && token === 0);
    const isBlank = shownText.trim() === '';
    return html`<span
        role="option"
        class="${tintClass(paletteStep(this.block.scores[token] ?? 0, this.maximum))} ${isChosen ? 'selected' : ''}"
        data-token=${token}
        tabindex=${isStop ? 0 : -1}
        aria-selected=${isChosen ? 'true' : 'false'}
        aria-label=${this.spoken(token)}
        @pointerenter=${() => this.context.onMark([token])}
        @pointerleave=${() => this.context.onMark([])}
        >${isBlank ? visibleLabel(shownText) : visibleText(shownText)}</span
      >${shownText.includes('\n') && isBlank ? '\n' : ''}`;
  }

  private spoken(token: number): string {
    const { block, context } = this;
    const unit = unitText(block.unit, context.text);
    const score = block.scores[token] ?? Number.NaN;
    const number = Number.isNaN(score) ? context.text.noValue : formatScore(score, block.signed);
    return `${quotedLabel(context.tokens[token]?.text ?? '')} ${number}${unit === '' ? '' : ` ${unit}`}`;
  }

  private readonly clicked = (event: Event): void => {
    const token = tokenOf(event);
    if (token !== null) this.choose(token, true);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const token = tokenOf(event);
    if (token === null) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.choose(token, true);
      return;
    }
    const next = nextInList(event.key, token, this.context.tokens.length);
    if (next === null) return;
    event.preventDefault();
    this.choose(next, false);
    this.renderRoot.querySelector<HTMLElement>(`[data-token="${next}"]`)?.focus();
  };

  private choose(token: number, reveal: boolean): void {
    this.chosen = token;
    this.context.onMark([token]);
    if (reveal) this.context.onReveal([token]);
  }

  static override styles = [
    sharedStyles,
    tintStyles,
    css`
      .prompt {
        max-block-size: 40vh;
        overflow-y: auto;
        padding: 8px 10px;
        border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        line-height: 1.65;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      [role='option'] {
        cursor: pointer;
        padding-block: 1px;
      }
      [role='option']:hover {
        outline: 1px dotted var(--vscode-foreground);
      }
      [role='option'].selected {
        outline: 1px solid var(--vscode-focusBorder);
      }
      [role='option']:focus-visible {
        outline: 2px solid var(--vscode-focusBorder);
      }
      .below {
        margin-block-start: 6px;
      }
    `,
  ];
}

function tokenOf(event: Event): number | null {
  const token = (event.target as HTMLElement).closest<HTMLElement>('[data-token]')?.dataset['token'];
  return token === undefined ? null : Number(token);
}

customElements.define('loupe-prompt-block', PromptBlockView);

export function promptBlock(block: PromptBlock, context: BlockContext): TemplateResult {
  return html`<loupe-prompt-block .block=${block} .context=${context}></loupe-prompt-block>`;
}
