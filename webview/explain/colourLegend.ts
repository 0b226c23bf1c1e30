/** The colour scale with its two ends named, and the size of score the strongest tint stands for. */
import { css, html, type TemplateResult } from 'lit';
import { paletteSteps } from '../../src/shared/colourScale.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { formatNumber } from '../ui/formatNumber.ts';
import { tintClass } from '../ui/sharedStyles.ts';
import { strings } from '../ui/strings.ts';

export function colourLegend(maximum: number, unit: Explanation['target']['unit']): TemplateResult {
  const text = strings();
  const end = text.scoreIs(formatNumber(maximum), text.unit[unit]);
  return html`<div class="legend" role="img" aria-label="${text.legend}: ${text.against} −${end}, ${text.forTarget} +${end}">
    <span class="muted">${text.against} −${end}</span>
    <span class="swatches">${paletteSteps.map((step) => html`<span class="swatch ${tintClass(step)}">&nbsp;</span>`)}</span>
    <span class="muted">+${end} ${text.forTarget}</span>
  </div>`;
}

export const legendStyles = css`
  .legend {
    display: flex;
    align-items: center;
    gap: 6px;
    font-size: 11px;
  }
  .swatches {
    display: inline-flex;
  }
  .swatch {
    inline-size: 12px;
    line-height: 14px;
    border-radius: 0;
    text-decoration: none;
  }
`;
