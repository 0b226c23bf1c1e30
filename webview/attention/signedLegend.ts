/** The two hues of signed attention with their ends named. */
import { css, html, type TemplateResult } from 'lit';
import { paletteSteps } from '../../src/shared/colourScale.ts';
import { visibleLabel } from '../ui/visibleText.ts';
import type { Strings } from '../ui/strings.ts';
import { formatSignificant } from '../ui/formatNumber.ts';
import { unitText, type ValueScale } from './valueScale.ts';

export function signedLegend(scale: Extract<ValueScale, { kind: 'signed' }>, text: Strings): TemplateResult {
  const end = text.scoreIs(formatSignificant(scale.maximum), unitText(scale.weightedBy, text));
  const target = `‘${visibleLabel(scale.weightedBy.label)}’`;
  const spoken = text.signedLegend(target, `−${end}`, `+${end}`);
  return html`<div class="legend" role="img" aria-label=${spoken}>
    <span class="muted">− ${text.against}</span>
    <span class="swatches"
      >${paletteSteps.map((step) => html`<span class="swatch ${step < 0 ? 'negative' : 'positive'} step${Math.abs(step)}"></span>`)}</span
    >
    <span class="muted">+ ${text.forTarget} · ±${end}</span>
  </div>`;
}

/** The same colours as the canvas: the tints' hues, opaque, at a fifth a step. */
export const signedLegendStyles = css`
  .legend {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 6px;
    margin-block: 2px 4px;
    font-size: 11px;
  }
  .swatches {
    display: inline-flex;
  }
  .swatch {
    inline-size: 12px;
    block-size: 10px;
  }
  .positive {
    --ink: var(--vscode-promptLoupe-positive5, var(--vscode-charts-blue));
  }
  .negative {
    --ink: var(--vscode-promptLoupe-negative5, var(--vscode-charts-orange));
  }
  .step1 {
    background: rgb(from var(--ink) r g b / 20%);
  }
  .step2 {
    background: rgb(from var(--ink) r g b / 40%);
  }
  .step3 {
    background: rgb(from var(--ink) r g b / 60%);
  }
  .step4 {
    background: rgb(from var(--ink) r g b / 80%);
  }
  .step5 {
    background: rgb(from var(--ink) r g b / 100%);
  }
`;
