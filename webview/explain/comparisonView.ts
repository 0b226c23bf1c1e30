/** Two explanations side by side: what A and B are, how the colours read, and what stands in B only. */
import { html, nothing, type TemplateResult } from 'lit';
import { paletteSteps } from '../../src/shared/colourScale.ts';
import type { Comparison } from '../../src/shared/difference.ts';
import { button } from '../ui/controls.ts';
import { formatPart } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';
import { quotedLabel, visibleText } from '../ui/visibleText.ts';
import { swatch } from './colourLegend.ts';

/** Units of B alone that are named; the rest is counted. */
const namedUnits = 20;

export function comparisonBox(comparison: Comparison | null, onEnd: () => void, text: Strings): TemplateResult | typeof nothing {
  if (comparison === null) return nothing;
  const { nameA, nameB, scores, signed, onlyInB } = comparison;
  return html`<section class="box comparison" aria-label=${text.comparison}>
    <div class="row spread">
      <p><strong>${text.comparison}</strong> ${text.comparing(visibleText(nameA), visibleText(nameB))}</p>
      ${button({ label: text.endComparison, onClick: onEnd })}
    </div>
    <p class="muted">${text.comparisonMeaning} ${signed ? nothing : text.sizesCompared}</p>
    ${scores.every((score) => score === 0) ? html`<p>${text.nothingDiffers}</p>` : nothing}
    ${onlyInB.length === 0 ? nothing : html`<p>${text.onlyInB} ${onlyUnits(comparison)}</p>`}
  </section>`;
}

function onlyUnits({ onlyInB, signed }: Comparison): TemplateResult {
  const named = onlyInB.slice(0, namedUnits).map(({ label, part }) => `${quotedLabel(label, 30)} ${formatPart(part, signed)}`);
  const left = onlyInB.length - named.length;
  return html`<bdi>${[...named, ...(left > 0 ? [`… +${left}`] : [])].join(', ')}</bdi>`;
}

/** A unit's part of A and of B, and the difference. */
export function comparisonFacts(unit: number, { a, b, scores, signed }: Comparison, text: Strings): string[] {
  const other = b[unit] ?? null;
  return [
    text.partOfA(formatPart(a[unit] ?? 0, signed)),
    other === null ? text.notInB : text.partOfB(formatPart(other, signed)),
    text.differenceIs(formatPart(scores[unit] ?? 0, true)),
  ];
}

export function comparisonLegend(maximum: number, text: Strings): TemplateResult {
  const end = formatPart(maximum, false);
  return html`<div class="legend" role="img" aria-label="${text.legend}: ${text.moreInB} −${end}, ${text.moreInA} +${end}">
    <span class="muted">${text.moreInB} −${end}</span>
    <span class="swatches">${paletteSteps.map(swatch)}</span>
    <span class="muted">+${end} ${text.moreInA}</span>
  </div>`;
}
