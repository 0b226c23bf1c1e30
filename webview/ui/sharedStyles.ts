/** Styles both panels share. Every colour is the theme's; constructable style sheets need no inline style, so the strictest policy holds. */
import { css } from 'lit';

export const sharedStyles = css`
  :host {
    display: block;
    color: var(--vscode-foreground);
    font-family: var(--vscode-font-family);
    font-size: var(--vscode-font-size, 13px);
    line-height: 1.4;
  }
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  h2 {
    margin: 0;
    font-size: 11px;
    font-weight: 700;
    letter-spacing: 0.04em;
    text-transform: uppercase;
    color: var(--vscode-sideBarSectionHeader-foreground, var(--vscode-foreground));
  }
  p {
    margin: 0;
  }
  .muted {
    color: var(--vscode-descriptionForeground);
  }
  .mono {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 13px);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
  }
  .spread {
    justify-content: space-between;
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: 1px;
  }
  .ring vscode-progress-ring {
    inline-size: 16px;
    block-size: 16px;
  }
  vscode-button::part(control) {
    padding: 2px 9px;
    white-space: nowrap;
  }
  .field {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    max-inline-size: 100%;
  }
  .field > select {
    min-inline-size: 0;
  }
  vscode-dropdown {
    min-inline-size: 90px;
    block-size: 24px;
  }
  vscode-dropdown::part(control) {
    block-size: 24px;
  }
  select.grouped {
    max-inline-size: 100%;
    block-size: 24px;
    padding-inline: 6px;
    border: 1px solid var(--vscode-dropdown-border, var(--vscode-contrastBorder, transparent));
    border-radius: 2px;
    background: var(--vscode-dropdown-background);
    color: var(--vscode-dropdown-foreground, var(--vscode-foreground));
    font: inherit;
  }
  input[type='range'] {
    inline-size: 110px;
    margin: 0;
    accent-color: var(--vscode-focusBorder);
  }
  vscode-checkbox {
    margin: 0;
  }
  vscode-checkbox::part(label) {
    padding-inline-end: 0;
    margin-inline-end: 0;
  }
  vscode-panels::part(tablist) {
    padding: 0;
    column-gap: 18px;
  }
  vscode-panel-tab {
    text-transform: none;
    padding: 4px 0;
    block-size: auto;
  }
  vscode-panel-view {
    padding: 8px 0 0;
  }
  .box {
    padding: 6px 8px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-inline-start: 3px solid var(--box-edge, var(--vscode-descriptionForeground));
    background: var(--vscode-textBlockQuote-background, transparent);
  }
  .box.error {
    --box-edge: var(--vscode-errorForeground);
  }
  .box.warning {
    --box-edge: var(--vscode-editorWarning-foreground);
  }
  table {
    border-collapse: collapse;
    inline-size: 100%;
    max-inline-size: 640px;
  }
  caption {
    text-align: start;
    padding-block-end: 4px;
    color: var(--vscode-descriptionForeground);
  }
  th,
  td {
    padding: 2px 12px 2px 0;
    text-align: start;
    font-weight: normal;
    white-space: nowrap;
  }
  tbody th {
    min-inline-size: 60px;
    white-space: normal;
    overflow-wrap: break-word;
  }
  thead tr {
    border-block-end: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, currentColor));
  }
  thead th {
    color: var(--vscode-descriptionForeground);
  }
  .barcell {
    inline-size: 100%;
    min-inline-size: 60px;
    padding-inline-end: 0;
  }
  .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  svg.bar {
    display: block;
    inline-size: 0;
    min-inline-size: 100%;
    block-size: 4px;
    border-radius: 2px;
    background: color-mix(in srgb, var(--vscode-foreground) 16%, transparent);
  }
  svg.bar rect {
    fill: var(--vscode-charts-blue, var(--vscode-focusBorder));
  }
  svg.bar.negative rect {
    fill: rgb(from var(--vscode-promptLoupe-negative5, var(--vscode-charts-orange)) r g b / 100%);
  }
`;

/** Tints of prompt words. The sign shows without colour: a solid line speaks for the target, a dashed one against it. */
export const tintStyles = css`
  .tint {
    border-radius: 2px;
    /* Toned down: the strongest tint must leave small text readable (contrast 4.5 and more in the default themes). */
    background: color-mix(in srgb, var(--tint, transparent) var(--tint-strength, 80%), transparent);
    text-decoration-thickness: 1px;
    text-underline-offset: 3px;
  }
  .positive {
    text-decoration-line: underline;
    text-decoration-style: solid;
  }
  .negative {
    text-decoration-line: underline;
    text-decoration-style: dashed;
  }
  .strong {
    text-decoration-thickness: 2px;
  }
  .positive.step1 {
    --tint: var(--vscode-promptLoupe-positive1);
  }
  .positive.step2 {
    --tint: var(--vscode-promptLoupe-positive2);
  }
  .positive.step3 {
    --tint: var(--vscode-promptLoupe-positive3);
  }
  .positive.step4 {
    --tint: var(--vscode-promptLoupe-positive4);
  }
  .positive.step5 {
    --tint: var(--vscode-promptLoupe-positive5);
  }
  .negative.step1 {
    --tint: var(--vscode-promptLoupe-negative1);
  }
  .negative.step2 {
    --tint: var(--vscode-promptLoupe-negative2);
  }
  .negative.step3 {
    --tint: var(--vscode-promptLoupe-negative3);
  }
  .negative.step4 {
    --tint: var(--vscode-promptLoupe-negative4);
  }
  .negative.step5 {
    --tint: var(--vscode-promptLoupe-negative5);
  }
`;

/** Classes of a palette step, −5…+5. */
export function tintClass(step: number): string {
  if (step === 0) return 'tint';
  const magnitude = Math.abs(step);
  return `tint ${step > 0 ? 'positive' : 'negative'} step${magnitude}${magnitude >= 4 ? ' strong' : ''}`;
}
