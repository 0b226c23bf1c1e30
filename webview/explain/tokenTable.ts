/** Every prompt token with how well the model saw it coming. */
import { html, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import { button } from '../ui/controls.ts';
import { formatNumber, formatShare } from '../ui/formatNumber.ts';
import { probabilityBar } from '../ui/probabilityBar.ts';
import type { Strings } from '../ui/strings.ts';
import { quotedLabel } from '../ui/visibleText.ts';

/** Rows a table draws before it asks. */
export const tableStep = 200;

export function tokenTable(tokens: Explanation['tokens'], limit: number, text: Strings, onMore: () => void): TemplateResult {
  if (!tokens.some((token) => token.logprob !== undefined)) return html`<p class="muted">${text.noLogprobs}</p>`;
  const shown = tokens.slice(0, limit);
  const largest = tokens.reduce((most, token) => Math.max(most, -(token.logprob ?? 0)), 0);
  return html`<table>
      <caption>${text.tokensCaption}</caption>
      <thead>
        <tr>
          <th scope="col" class="number">#</th>
          <th scope="col">${text.columnToken}</th>
          <th scope="col" class="number">${text.columnProbability}</th>
          <th scope="col" class="number">${text.columnLogprob}</th>
          <th scope="col" class="number">${text.columnSurprise}</th>
<td></td>
        </tr>
      </thead>
      <tbody>
        ${shown.map((token, index) => row(token, index, largest, text))}
      </tbody>
    </table>
    ${moreButton(tokens.length - shown.length, text, onMore)}`;
}

/** The button under a table that is cut; nothing when it is whole. */
export function moreButton(left: number, text: Strings, onMore: () => void, step = tableStep): TemplateResult {
  return left <= 0 ? html`` : html`<p>${button({ label: text.showMore(Math.min(left, step)), onClick: onMore })}</p>`;
}

function row(token: Explanation['tokens'][number], index: number, largest: number, text: Strings): TemplateResult {
  const name = html`<th scope="row"><bdi class="mono ${token.special ? 'muted' : ''}">${quotedLabel(token.text)}</bdi></th>`;
  const { logprob } = token;
  if (logprob === undefined) {
    return html`<tr><td class="number muted">${index}</td>${name}<td class="muted" colspan="4">${index === 0 ? text.firstToken : ''}</td></tr>`;
  }
  return html`<tr>
    <td class="number muted">${index}</td>
    ${name}
    <td class="number">${formatShare(Math.exp(logprob))}</td>
    <td class="number">${formatNumber(logprob)}</td>
    <td class="number">${formatNumber(-logprob)}</td>
    <td class="barcell">${probabilityBar(largest > 0 ? -logprob / largest : 0)}</td>
  </tr>`;
}
