/** Units by the size of their score: the heat-map as a table, for those who do not see it. */
import { html, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import { hasSign } from '../../src/shared/scoreSign.ts';
import { formatScore, formatShare } from '../ui/formatNumber.ts';
import { probabilityBar } from '../ui/probabilityBar.ts';
import { tintClass } from '../ui/sharedStyles.ts';
import type { Strings } from '../ui/strings.ts';
import { quotedLabel } from '../ui/visibleText.ts';
import { scoreUnitText } from './scoreUnit.ts';
import type { ScoreSummary } from './scoreSummary.ts';
import { moreButton } from './tokenTable.ts';

export function rankingTable(
  explanation: Pick<Explanation, 'granularity' | 'target' | 'scoreUnit' | 'method'>,
  summary: ScoreSummary,
  limit: number,
  text: Strings,
  onMore: () => void,
): TemplateResult {
  const shown = summary.ranked.slice(0, limit);
  const largest = summary.ranked[0]?.share ?? 0;
  const unit = scoreUnitText(explanation, text);
  return html`<table>
      <caption>${text.rankingCaption}</caption>
      <thead>
        <tr>
          <th scope="col" class="number">${text.columnRank}</th>
          <th scope="col">${text.granularityOne[explanation.granularity]}</th>
          <th scope="col" class="number">${text.columnScore}${unit === '' ? '' : ` (${unit})`}</th>
          <th scope="col" class="number">${text.columnShare}</th>
<td></td>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          (each) => html`<tr>
            <td class="number muted">${each.rank}</td>
            <th scope="row"><bdi class="mono ${tintClass(each.step)}">${quotedLabel(each.label, 60)}</bdi></th>
            <td class="number">${formatScore(each.score, hasSign(explanation.method))}</td>
            <td class="number">${formatShare(each.share)}</td>
            <td class="barcell">${probabilityBar(largest > 0 ? each.share / largest : 0)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${moreButton(summary.ranked.length - shown.length, text, onMore)}`;
}
