/** A bar of a share, 0…1, in the hue of what speaks against where `negative`. SVG, whose sizes are attributes: the content policy allows no inline style. Decoration only: the number stands beside it. */
import { svg, html, type TemplateResult } from 'lit';

export function probabilityBar(share: number, negative = false): TemplateResult {
  const width = Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * 100;
  return html`<svg class="bar ${negative ? 'negative' : ''}" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect x="0" y="0" height="4" width=${width.toFixed(1)}></rect>`}
  </svg>`;
}
