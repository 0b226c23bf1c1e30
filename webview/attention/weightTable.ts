/** The largest values of one token as a table: the matrix for those who do not see it. */
import { html, type TemplateResult } from 'lit';
import { probabilityBar } from '../ui/probabilityBar.ts';
import type { Strings } from '../ui/strings.ts';
import { type Direction, topWeights } from './tokenWeights.ts';
import { formatSignedValue, formatValue, unitText, type ValueScale } from './valueScale.ts';

const rows = 10;

export function weightTable(
  weights: Float32Array,
  scale: ValueScale,
  labels: readonly string[],
  token: number,
  direction: Direction,
  text: Strings,
): TemplateResult {
  const name = `‘${labels[token] ?? ''}’`;
  const top = topWeights(weights, rows);
  const largest = Math.abs(top[0]?.weight ?? 1);
  const number = (value: number) => (scale.kind === 'weight' ? formatValue(value, scale, text) : formatSignedValue(value));
  return html`<table>
    <caption>
      <bdi>${direction === 'row' ? text.topLooksAt(name) : text.topLookedAtBy(name)}</bdi>
      ${scale.kind === 'weight' ? '' : `(${text.signsMean})`}
    </caption>
    <thead>
      <tr>
        <th scope="col" class="number">${text.columnPosition}</th>
        <th scope="col">${text.columnToken}</th>
        <th scope="col" class="number">${valueColumn(scale, text)}</th>
<td></td>
      </tr>
    </thead>
    <tbody>
      ${top.map(
        (each) => html`<tr>
          <td class="number muted">${each.token}</td>
          <th scope="row"><bdi class="mono">‘${labels[each.token] ?? ''}’</bdi></th>
          <td class="number">${number(each.weight)}</td>
          <td class="barcell">${probabilityBar(Math.abs(each.weight) / largest, each.weight < 0)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function valueColumn(scale: ValueScale, text: Strings): string {
  if (scale.kind === 'weight') return text.columnWeight;
  const unit = unitText(scale.weightedBy, text);
  return unit === '' ? text.columnEffect : `${text.columnEffect} (${unit})`;
}
