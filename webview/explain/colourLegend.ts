/** The colour scale with its two ends named, and the size of score the strongest tint stands for. */
import { css, html, type TemplateResult } from 'lit';
import { paletteSteps } from '../../src/shared/colourScale.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { hasSign } from '../../src/shared/scoreSign.ts';
import { formatScore } from '../ui/formatNumber.ts';
import { tintClass } from '../ui/sharedStyles.ts';
import { strings } from '../ui/strings.ts';
import { scoreUnitText } from './scoreUnit.ts';

/** Scores without a sign have one half of the scale, from none to the largest. */
export function colourLegend(maximum: number, explanation: Pick<Explanation, 'target' | 'scoreUnit' | 'method'>): TemplateResult {
  const text = strings();
  const end = text.scoreIs(formatScore(maximum, false), scoreUnitText(explanation, text));
  if (!hasSign(explanation.method)) {
    const steps = paletteSteps.filter((step) => step >= 0);
    return html`<div class="legend" role="img" aria-label="${text.legend}: 0, ${end}; ${text.noSign}">
      <span class="muted">0</span>
      <span class="swatches">${steps.map(swatch)}</span>
      <span class="muted">${end} · ${text.noSign}</span>
    </div>`;
  }
  return html`<div class="legend" role="img" aria-label="${text.legend}: ${text.against} −${end}, ${text.forTarget} +${end}">
    <span class="muted">${text.against} −${end}</span>
    <span class="swatches">${paletteSteps.map(swatch)}</span>
    <span class="muted">+${end} ${text.forTarget}</span>
  </div>`;
}

export function swatch(step: number): TemplateResult {
  return html`<span class="swatch ${tintClass(step)}">&nbsp;</span>`;
}

export const legendStyles = css`
  .legend {
    display: flex;
    flex-wrap: wrap;
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
