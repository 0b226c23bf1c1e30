/** The response, token by token: how likely each was, what else could have stood there, and what to explain next. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { button } from '../ui/controls.ts';
import { formatNumber, formatShare } from '../ui/formatNumber.ts';
import { probabilityBar } from '../ui/probabilityBar.ts';
import { nextInList } from '../ui/rovingFocus.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { type Strings, strings } from '../ui/strings.ts';
import { visibleLabel } from '../ui/visibleText.ts';
import { alternativesTable } from './alternativesTable.ts';
import { explainedSpan } from './explainedSpan.ts';

/** Response tokens first…last, both included. */
interface Choice {
  readonly first: number;
  readonly last: number;
}

export class ResponseView extends LitElement {
  static override properties = { explanation: { attribute: false }, choice: { state: true } };
  declare explanation: Explanation;
  declare onExplain: (target: TargetSpec) => void;
  /** Ask for a text that this response token is compared with. */
  declare onAskContrast: (at: number) => void;
  declare private choice: Choice | null;
  /** Where a range that is extended with Shift began. */
  private anchor = 0;

  constructor() {
    super();
    this.choice = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get('explanation') as Explanation | undefined;
    if (before !== undefined && before.response.text !== this.explanation.response.text) this.choice = null;
  }

  protected override render(): TemplateResult {
    const text = strings();
    const { tokens, source } = this.explanation.response;
    return html`
      <div class="row spread heading">
        <h2>${source === 'given' ? text.responseGiven : text.response}</h2>
        ${
          tokens.length === 0
            ? nothing
            : button({
                label: text.wholeResponse,
                disabled: this.explanation.target.kind === 'response',
                onClick: () => this.onExplain({ kind: 'response' }),
              })
        }
      </div>
      ${tokens.length === 0 ? html`<p class="muted">${text.noResponse}</p>` : this.tokenList(text)} ${this.choicePane(text)}
    `;
  }

  private tokenList(text: Strings): TemplateResult {
    const span = explainedSpan(this.explanation);
    const stop = this.choice?.last ?? 0;
    return html`<div
      class="tokens mono"
      role="listbox"
      aria-label=${text.responseTokens}
      aria-multiselectable="true"
      @click=${this.clicked}
      @keydown=${this.pressed}
    >${this.explanation.response.tokens.map((token, index) => {
      const chosen = this.choice !== null && index >= this.choice.first && index <= this.choice.last;
      const explained = span !== null && index >= span[0] && index <= span[1];
      const probability = Math.exp(token.logprob);
      const spoken = [visibleLabel(token.text), formatShare(probability), ...(explained ? [text.explained] : [])].join(', ');
      return html`<span
        role="option"
        class="token ${chosen ? 'chosen' : ''} ${explained ? 'explained' : ''}"
        data-token=${index}
        tabindex=${index === stop ? 0 : -1}
        aria-selected=${chosen ? 'true' : 'false'}
        aria-label=${spoken}
        title=${spoken}
        ><bdi>${visibleLabel(token.text)}</bdi>${probabilityBar(probability)}</span
      >`;
    })}</div>`;
  }

  private choicePane(text: Strings): TemplateResult {
    const { tokens } = this.explanation.response;
    const { choice } = this;
    const token = choice === null ? undefined : tokens[choice.last];
    if (choice === null || token === undefined) {
      return tokens.length === 0 ? html`${nothing}` : html`<p class="muted hint">${text.pickToken}</p>`;
    }
    const count = choice.last - choice.first + 1;
    const explainedNow = this.isExplained(choice);
    const quoted = tokens
      .slice(choice.first, choice.last + 1)
      .map((each) => visibleLabel(each.text))
      .join('');
    return html`<div class="pane">
      <div class="row spread">
        <p>
          <bdi class="mono">‘${quoted}’</bdi> ${formatShare(Math.exp(sum(tokens, choice)))} ·
          ${formatNumber(sum(tokens, choice))} ${text.unit.nat}${explainedNow ? html` · ${text.explained}` : nothing}
        </p>
        ${button({
          label: count === 1 ? text.explainToken : text.explainTokens(count),
          appearance: 'primary',
          disabled: explainedNow,
          onClick: () => this.explain(choice),
        })}
      </div>
      ${
        count === 1
          ? alternativesTable(
              token,
              text,
              (other) => this.onExplain({ kind: 'contrast', a: token.text, b: other, at: choice.first }),
              () => this.onAskContrast(choice.first),
            )
          : nothing
      }
    </div>`;
  }

  private explain(choice: Choice): void {
    this.onExplain({ kind: 'span', from: choice.first, to: choice.last });
  }

  private choose(index: number, extend: boolean): void {
    if (!extend || this.choice === null) this.anchor = index;
    this.choice = { first: Math.min(this.anchor, index), last: Math.max(this.anchor, index) };
  }

  private readonly clicked = (event: MouseEvent): void => {
    const index = tokenOf(event);
    if (index === null) return;
    this.choose(index, event.shiftKey);
    if (!event.shiftKey) this.explainIfNew(index);
  };

  /** A click on the token that is explained already only opens its alternatives. */
  private explainIfNew(index: number): void {
    if (!this.isExplained({ first: index, last: index })) this.explain({ first: index, last: index });
  }

  private isExplained(choice: Choice): boolean {
    const span = explainedSpan(this.explanation);
    return span !== null && span[0] === choice.first && span[1] === choice.last && this.explanation.target.kind !== 'contrast';
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const index = tokenOf(event);
    if (index === null) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (this.choice === null || event.key === ' ') this.choose(index, event.shiftKey);
      const { choice } = this;
      if (event.key === 'Enter' && choice !== null && !this.isExplained(choice)) this.explain(choice);
      return;
    }
    const next = nextInList(event.key, index, this.explanation.response.tokens.length);
    if (next === null) return;
    event.preventDefault();
    this.choose(next, event.shiftKey);
    this.renderRoot.querySelector<HTMLElement>(`[data-token="${next}"]`)?.focus();
  };

  static override styles = [
    sharedStyles,
    css`
      .heading {
        margin-block-end: 4px;
      }
      .tokens {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 3px;
        max-block-size: 30vh;
        overflow-y: auto;
        padding: 2px;
      }
      .token {
        display: inline-flex;
        flex-direction: column;
        justify-content: space-between;
        gap: 3px;
        min-inline-size: 18px;
        padding: 1px 4px 3px;
        border: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent));
        border-radius: 2px;
        cursor: pointer;
        white-space: pre;
      }
      .token:hover {
        background: var(--vscode-list-hoverBackground, transparent);
      }
      .token.explained {
        border-block-start-width: 2px;
        border-block-start-color: var(--vscode-focusBorder);
      }
      .token.chosen {
        outline: 1px solid var(--vscode-focusBorder);
        background: var(--vscode-list-hoverBackground, transparent);
      }
      .token:focus-visible {
        outline: 2px solid var(--vscode-focusBorder);
      }
      .pane,
      .hint {
        margin-block-start: 6px;
      }
      .pane {
        overflow-x: auto;
      }
      .pane table {
        margin-block-start: 4px;
      }
    `,
  ];
}

type ResponseTokens = Explanation['response']['tokens'];

/** Summed log-probability of a range, in nats. */
function sum(tokens: ResponseTokens, choice: Choice): number {
  return tokens.slice(choice.first, choice.last + 1).reduce((total, token) => total + token.logprob, 0);
}

function tokenOf(event: Event): number | null {
  const token = (event.target as Element).closest<HTMLElement>('[data-token]')?.dataset.token;
  return token === undefined ? null : Number(token);
}

customElements.define('loupe-response-view', ResponseView);
