/** What the model could have written at one place of the response. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import { button } from '../ui/controls.ts';
import { formatNumber, formatShare } from '../ui/formatNumber.ts';
import { probabilityBar } from '../ui/probabilityBar.ts';
import type { Strings } from '../ui/strings.ts';
import { quotedLabel } from '../ui/visibleText.ts';

type ResponseToken = Explanation['response']['tokens'][number];

/** One row a candidate, most likely first; the chosen token always has a row. */
export function alternativesTable(
  token: ResponseToken,
  text: Strings,
  onContrast: (other: string) => void,
  onAskContrast: () => void,
): TemplateResult {
  const rows = candidates(token);
  const another = button({
    label: text.whyAnother,
    description: `${text.whyAnother} ${quotedLabel(token.text)}`,
    onClick: onAskContrast,
  });
  if (rows.length <= 1) return html`<p class="muted">${text.noAlternatives}</p>${another}`;
  return html`<table>
    <caption class="visually-hidden">${text.alternatives(quotedLabel(token.text))}</caption>
    <thead>
      <tr>
        <th scope="col">${text.columnToken}</th>
        <th scope="col" class="number">${text.columnProbability}</th>
<td></td>
        <th scope="col" class="number">${text.columnLogprob}</th>
        <th scope="col">${text.columnAction}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) => html`<tr>
          <th scope="row"><bdi class="mono">${quotedLabel(row.text)}</bdi></th>
          <td class="number">${formatShare(Math.exp(row.logprob))}</td>
          <td class="barcell">${probabilityBar(Math.exp(row.logprob))}</td>
          <td class="number">${formatNumber(row.logprob)}</td>
          <td>
            ${
              row.id === token.id
                ? html`<span class="muted">${text.chosen}</span>`
                : row.text === ''
                  ? nothing
                  : button({
                      label: text.whyThis,
                      description: `${text.whyThis} ${quotedLabel(row.text)}`,
                      onClick: () => onContrast(row.text),
                    })
            }
          </td>
        </tr>`,
      )}
    </tbody>
  </table>${another}`;
}

function candidates(token: ResponseToken): ResponseToken['alternatives'] {
  const others = token.alternatives.filter((other) => other.id !== token.id);
  return [{ id: token.id, text: token.text, logprob: token.logprob }, ...others].sort((a, b) => b.logprob - a.logprob);
}
