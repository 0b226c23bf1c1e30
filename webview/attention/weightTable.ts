/** The largest weights of one token as a table: the matrix for those who do not see it. */
import { html, type TemplateResult } from 'lit';
import { probabilityBar } from '../ui/probabilityBar.ts';
import type { Strings } from '../ui/strings.ts';
import { type Direction, topWeights } from './tokenWeights.ts';

const rows = 10;

export function weightTable(
  weights: Float32Array,
  labels: readonly string[],
  token: number,
  direction: Direction,
  text: Strings,
): TemplateResult {
  const name = `‘${labels[token] ?? ''}’`;
  const top = topWeights(weights, rows);
  const largest = top[0]?.weight ?? 1;
  return html`<table>
    <caption>
      <bdi>${direction === 'row' ? text.topLooksAt(name) : text.topLookedAtBy(name)}</bdi>
    </caption>
    <thead>
      <tr>
        <th scope="col" class="number">${text.columnPosition}</th>
        <th scope="col">${text.columnToken}</th>
        <th scope="col" class="number">${text.columnWeight}</th>
<td></td>
      </tr>
    </thead>
    <tbody>
      ${top.map(
        (each) => html`<tr>
          <td class="number muted">${each.token}</td>
          <th scope="row"><bdi class="mono">‘${labels[each.token] ?? ''}’</bdi></th>
          <td class="number">${each.weight.toFixed(3)}</td>
          <td class="barcell">${probabilityBar(each.weight / largest)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
