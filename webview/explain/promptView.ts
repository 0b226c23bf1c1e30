/** The prompt as tinted words: one list, one tab stop, arrow keys move, and the chosen word's numbers stand below. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Comparison } from '../../src/shared/difference.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { hasSign } from '../../src/shared/scoreSign.ts';
import { checkbox, slider } from '../ui/controls.ts';
import { formatScore, formatShare } from '../ui/formatNumber.ts';
import { nextInList } from '../ui/rovingFocus.ts';
import { sharedStyles, tintClass, tintStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { quotedLabel, visibleLabel, visibleText } from '../ui/visibleText.ts';
import { colourLegend, legendStyles } from './colourLegend.ts';
import { comparisonFacts, comparisonLegend } from './comparisonView.ts';
import { scoreUnitText } from './scoreUnit.ts';
import { layoutPrompt, type PromptPiece } from './promptLayout.ts';
import type { ScoreSummary, UnitSummary } from './scoreSummary.ts';

export class PromptView extends LitElement {
  static override properties = {
    explanation: { attribute: false },
    summary: { attribute: false },
    comparison: { attribute: false },
    showHidden: { attribute: false },
    selected: { attribute: false },
    provisional: { attribute: false },
    intensity: { attribute: false },
  };
  declare explanation: Explanation;
  declare summary: ScoreSummary;
  /** Given: `summary` is of its difference. */
  declare comparison: Comparison | null;
  declare showHidden: boolean;
  /** Index of a unit, or null. */
  declare selected: number | null;
  /** Scores that will still change are drawn lighter. */
  declare provisional: boolean;
  declare onSelect: (unit: number) => void;
  /** Strength of the tints, 1 = the largest score gets the strongest. */
  declare intensity: number;
  declare onShowHidden: (show: boolean) => void;
  declare onIntensity: (intensity: number, kept: boolean) => void;

  private pieces: readonly PromptPiece[] = [];
  /** Units in reading order. */
  private order: readonly number[] = [];

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('explanation') && !changed.has('showHidden')) return;
    this.pieces = layoutPrompt(this.explanation, this.showHidden);
    this.order = this.pieces.flatMap((piece) => (piece.type === 'unit' ? [piece.unit] : []));
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has('selected') && this.selected !== null) {
      this.option(this.selected)?.scrollIntoView?.({ block: 'nearest' });
    }
  }

  protected override render(): TemplateResult {
    const text = strings();
    const { comparison } = this;
    const untrusted = comparison === null && this.explanation.faithfulness?.verdict === 'untrusted';
    return html`
      <div class="row spread heading">
        <h2>${text.prompt}</h2>
        ${comparison === null ? colourLegend(this.summary.maximum, this.explanation) : comparisonLegend(this.summary.maximum, text)}
      </div>
      <div
        class="prompt mono ${untrusted ? 'untrusted' : ''} ${this.provisional ? 'provisional' : ''}"
        role="listbox"
        aria-label=${text.promptWords}
        @click=${this.clicked}
        @keydown=${this.pressed}
      >${this.pieces.map((piece) => this.piece(piece, text))}</div>
      <div class="row spread below">
        <p class="details" role="status">${this.details(text)}</p>
        ${slider({
          label: text.intensity,
          // Half as strong is as far to the left as twice as strong is to the right.
          value: Math.log2(this.intensity),
          minimum: -2,
          maximum: 2,
          step: 0.1,
          spoken: text.times(this.intensity.toFixed(2)),
          onChange: (value, kept) => this.onIntensity(Math.round(100 * 2 ** value) / 100, kept),
        })}
        ${checkbox({ label: text.showHidden, checked: this.showHidden, onChange: (show) => this.onShowHidden(show) })}
      </div>
    `;
  }

  private piece(piece: PromptPiece, text: Strings): TemplateResult {
    if (piece.type === 'gap') return html`<span aria-hidden="true">${visibleText(piece.text)}</span>`;
    if (piece.type === 'boundary') {
      const label = piece.label === '' ? '' : visibleLabel(piece.label);
      return html`<span class="boundary" aria-hidden="true" title=${text.hiddenText}>${label}</span>`;
    }
    const unit = this.summary.units[piece.unit];
    if (unit === undefined) return html`${nothing}`;
    const isSelected = piece.unit === this.selected;
    const isStop = isSelected || (this.selected === null && piece.unit === this.order[0]);
    const shown = piece.text.trim() === '' || piece.fragment ? visibleLabel(piece.text) : visibleText(piece.text);
    return html`<span
      role="option"
      class="${tintClass(unit.step)} ${unit.kind} ${isSelected ? 'selected' : ''}"
      data-unit=${piece.unit}
      tabindex=${isStop ? 0 : -1}
      aria-selected=${isSelected ? 'true' : 'false'}
      aria-label=${this.spoken(unit, text)}
      >${shown === '' ? visibleLabel(unit.label) : shown}</span
    >${piece.text.endsWith('\n') ? '\n' : nothing}`;
  }

  private spoken(unit: UnitSummary, text: Strings): string {
    return `${visibleLabel(unit.label)}, ${this.facts(unit, text).join(', ')}`;
  }

  private facts(unit: UnitSummary, text: Strings): string[] {
    if (this.comparison !== null) return comparisonFacts(unit.index, this.comparison, text);
    const score = text.scoreIs(formatScore(unit.score, hasSign(this.explanation.method)), scoreUnitText(this.explanation, text));
    const standing =
      unit.rank === null
        ? [text.hiddenUnit]
        : [text.shareOf(formatShare(unit.share)), text.rank(unit.rank, this.summary.ranked.length)];
    return unit.kind === 'text' ? [score, ...standing] : [score, ...standing, text.kind[unit.kind]];
  }

  private details(text: Strings): TemplateResult {
    const unit = this.selected === null ? undefined : this.summary.units[this.selected];
    if (unit === undefined) return html`<span class="muted">${text.pickWord}</span>`;
    return html`<bdi class="mono">${quotedLabel(unit.label, 60)}</bdi> ${this.facts(unit, text).join(' · ')}`;
  }

  private readonly clicked = (event: Event): void => {
    const unit = unitOf(event);
    if (unit !== null) this.onSelect(unit);
  };

  private readonly pressed = (event: KeyboardEvent): void => {
    const unit = unitOf(event);
    if (unit === null) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.onSelect(unit);
      return;
    }
    const next = nextInList(event.key, this.order.indexOf(unit), this.order.length);
    const target = next === null ? undefined : this.order[next];
    if (target === undefined) return;
    event.preventDefault();
    this.option(target)?.focus();
    this.onSelect(target);
  };

  private option(unit: number): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(`[data-unit="${unit}"]`);
  }

  static override styles = [
    sharedStyles,
    tintStyles,
    legendStyles,
    css`
      .heading {
        margin-block-end: 4px;
      }
      .prompt {
        max-block-size: 45vh;
        overflow-y: auto;
        padding: 8px 10px;
        border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        background: var(--vscode-editor-background);
        color: var(--vscode-editor-foreground, var(--vscode-foreground));
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
      .special,
      .template {
        font-style: italic;
      }
      .sink {
        border-block-end: 1px dotted var(--vscode-descriptionForeground);
      }
      .provisional {
        --tint-strength: 50%;
      }
      .untrusted .tint {
        background: none;
      }
      .boundary {
        display: block;
        margin-block: 6px 2px;
        font-family: var(--vscode-font-family);
        font-size: 11px;
        line-height: 1.2;
        color: var(--vscode-descriptionForeground);
        border-block-start: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        padding-block-start: 4px;
      }
      .boundary:first-child {
        margin-block-start: 0;
        padding-block-start: 0;
        border: 0;
      }
      .boundary:empty {
        padding: 0;
        margin-block: 6px;
      }
      .below {
        margin-block-start: 6px;
      }
      .details {
        flex: 1 1 320px;
      }
    `,
  ];
}

function unitOf(event: Event): number | null {
  const option = (event.target as HTMLElement).closest<HTMLElement>('[data-unit]');
  const unit = option?.dataset.unit;
  return unit === undefined ? null : Number(unit);
}

customElements.define('loupe-prompt-view', PromptView);
