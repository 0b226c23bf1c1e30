import { css } from 'lit';

export const blockStyles = css`
  .block {
    display: grid;
    gap: 4px;
    min-inline-size: 0;
  }
  h3 {
    margin: 6px 0 0;
    font-size: inherit;
    font-weight: 600;
  }
  .caption {
    max-inline-size: 90ch;
  }
  .bars {
    display: grid;
    grid-template-columns: minmax(8ch, max-content) max-content minmax(80px, 420px);
    gap: 2px 10px;
    align-items: center;
  }
  .bars .number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  svg.picture {
    max-inline-size: 100%;
    block-size: auto;
    overflow: visible;
  }
  svg text {
    fill: var(--vscode-foreground);
    font-size: 11px;
  }
  .line {
    stroke: var(--vscode-descriptionForeground);
    fill: none;
  }
  .raises {
    stroke: var(--vscode-charts-blue, var(--vscode-focusBorder));
    fill: none;
  }
  .lowers {
    stroke: var(--vscode-charts-orange, var(--vscode-errorForeground));
    stroke-dasharray: 5 3;
    fill: none;
  }
  rect.raises {
    fill: var(--vscode-charts-blue, var(--vscode-focusBorder));
    stroke: none;
  }
  rect.lowers {
    fill: var(--vscode-charts-orange, var(--vscode-errorForeground));
    stroke: none;
  }
  .node rect {
    fill: var(--vscode-editor-background);
    stroke: var(--vscode-descriptionForeground);
  }
  .prompt {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    max-inline-size: 100ch;
  }
  ins {
    background: var(--vscode-diffEditor-insertedTextBackground);
  }
  del {
    background: var(--vscode-diffEditor-removedTextBackground);
  }
  details summary {
    color: var(--vscode-descriptionForeground);
    cursor: pointer;
  }
`;
