/** Whether the scores of integrated gradients add up to what they should, and by how much they do not. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import { formatScore, formatShare } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';

/** Beyond this share of what is expected the picture counts as one that does not add up. */
const largestGapShare = 0.05;

function addsUp({ gap, share }: NonNullable<Explanation['completeness']>): boolean {
  return share === null ? gap === 0 : share <= largestGapShare;
}

export function completenessLine(explanation: Explanation, text: Strings): TemplateResult | typeof nothing {
  const { completeness, target } = explanation;
  if (completeness === undefined) return nothing;
  const { sum, expected, gap, share, steps } = completeness;
  const complete = addsUp(completeness);
  const number = (value: number) => text.scoreIs(formatScore(value, true), text.unit[target.unit]);
  const gapText = share === null ? number(gap) : `${number(gap)} (${formatShare(share)})`;
  return html`<p class="row completeness">
    <span class="badge ${complete ? 'trusted' : 'untrusted'}"
      ><span aria-hidden="true">${complete ? '✓' : '✕'}</span> ${complete ? text.addsUp : text.doesNotAddUp}</span
    >
    <span>${text.completeness(number(sum), number(expected), gapText)}</span>
    <span class="muted">${text.steps(steps)}</span>
  </p>`;
}
