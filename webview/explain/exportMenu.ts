/** A button that opens a menu of export formats. Neither the toolkit nor the platform has a menu button, so this one follows WAI-ARIA's. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { ExplainPanelOut } from '../../src/shared/protocol/panel.ts';
import { button } from '../ui/controls.ts';
import { nextInList } from '../ui/rovingFocus.ts';
import { sharedStyles } from '../ui/sharedStyles.ts';
import { strings } from '../ui/strings.ts';

export type ExportFormat = Extract<ExplainPanelOut, { type: 'export' }>['format'];

const formats: readonly ExportFormat[] = ['json', 'html', 'svg', 'png', 'csv'];

export class ExportMenu extends LitElement {
  static override properties = { open: { state: true } };
  declare onExport: (format: ExportFormat) => void;
  declare private open: boolean;

  constructor() {
    super();
    this.open = false;
    this.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node) || !this.renderRoot.contains(event.relatedTarget)) this.open = false;
    });
  }

  protected override render(): TemplateResult {
    const text = strings();
    return html`${button({
      label: `${text.export} ▾`,
      description: text.export,
      menuOpen: this.open,
      onClick: () => this.toggle(),
    })}${
      this.open
        ? html`<div role="menu" aria-label=${text.export} @keydown=${this.pressed}>
            ${formats.map(
              (format) =>
                html`<div role="menuitem" tabindex="-1" data-format=${format} @click=${() => this.choose(format)}>${text.exportAs[format]}</div>`,
            )}
          </div>`
        : nothing
    }`;
  }

  private toggle(): void {
    this.open = !this.open;
    if (this.open) void this.updateComplete.then(() => this.item(0)?.focus());
  }

  private choose(format: ExportFormat): void {
    this.close();
    this.onExport(format);
  }

  private close(): void {
    this.open = false;
    this.renderRoot.querySelector<HTMLElement>('vscode-button')?.focus();
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const format = (event.target as HTMLElement).dataset.format as ExportFormat | undefined;
    if (format === undefined) return;
    const next = nextInList(event.key, formats.indexOf(format), formats.length);
    if (next !== null) this.item(next)?.focus();
    else if (event.key === 'Enter' || event.key === ' ') this.choose(format);
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
  };

  private item(index: number): HTMLElement | undefined {
    return this.renderRoot.querySelectorAll<HTMLElement>('[role="menuitem"]')[index];
  }

  static override styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        display: inline-block;
      }
      [role='menu'] {
        position: absolute;
        inset-inline-end: 0;
        z-index: 2;
        margin-block-start: 2px;
        padding: 4px;
        border: 1px solid var(--vscode-menu-border, var(--vscode-contrastBorder, var(--vscode-panel-border, currentColor)));
        border-radius: 4px;
        background: var(--vscode-menu-background, var(--vscode-editor-background));
        color: var(--vscode-menu-foreground, var(--vscode-foreground));
        box-shadow: 0 2px 8px var(--vscode-widget-shadow, transparent);
      }
      [role='menuitem'] {
        padding: 2px 12px;
        border-radius: 3px;
        white-space: nowrap;
        cursor: pointer;
      }
      [role='menuitem']:hover,
      [role='menuitem']:focus {
        background: var(--vscode-menu-selectionBackground, transparent);
        color: var(--vscode-menu-selectionForeground, inherit);
        outline: 1px solid var(--vscode-menu-selectionBorder, var(--vscode-contrastActiveBorder, transparent));
      }
    `,
  ];
}

customElements.define('loupe-export-menu', ExportMenu);
