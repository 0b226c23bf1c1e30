/** The colour scale of a heat block, with its ends in numbers. */
import { css, html, svg, type TemplateResult } from 'lit';
import { formatSignificant } from '../../ui/formatNumber.ts';
import type { InsideStrings } from '../insideStrings.ts';
import { type HeatPicture, strongestShade } from './heatPainter.ts';

export function heatLegend(picture: HeatPicture, unit: string, text: InsideStrings): TemplateResult {
  const { kind, low, high } = picture.scale;
  const most = strongestShade(picture);
  const ends = [low, high].map((value) => `${formatSignificant(value)}${unit === '' ? '' : ` ${unit}`}`);
  const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  return html`<div class="legend" role="img" aria-label=${text.scale(ends[0] ?? '', ends[1] ?? '')}>
    <span>${ends[0]}</span>
    <svg width="110" height="10" viewBox="0 0 110 10" aria-hidden="true">
      ${steps.map((step) => {
        const strength = kind === 'signed' ? (step - 5) / 5 : step / 10;
        const ink = kind === 'magnitude' ? 'size' : strength < 0 ? 'negative' : 'positive';
        return svg`<rect class=${ink} x=${step * 10} y="0" width="10" height="10" fill-opacity=${(Math.abs(strength) * most).toFixed(2)}></rect>`;
      })}
    </svg>
    <span>${ends[1]}</span>
  </div>`;
}

export const heatLegendStyles = css`
  .legend {
    display: flex;
    align-items: center;
    gap: 6px;
    font-size: 12px;
    color: var(--vscode-descriptionForeground);
    font-variant-numeric: tabular-nums;
  }
  .legend .size {
    fill: var(--vscode-charts-blue, var(--vscode-focusBorder));
  }
  .legend .positive {
    fill: rgb(from var(--vscode-promptLoupe-positive5, var(--vscode-charts-blue)) r g b / 100%);
  }
  .legend .negative {
    fill: rgb(from var(--vscode-promptLoupe-negative5, var(--vscode-charts-orange)) r g b / 100%);
  }
`;
