/** Components in columns and what flows between them; the edges as a table too. */
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { GraphBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';

const room = { column: 110, row: 30, width: 84, height: 20, edge: 10 } as const;

export function graphView({ nodes, edges, unit, title }: GraphBlock, { mark, text }: BlockContext): TemplateResult {
  const columns = [...new Set(nodes.map(({ column }) => column))].sort((a, b) => a - b);
  const rows = [...new Set(nodes.map(({ row }) => row))].sort((a, b) => a - b);
  const places = new Map(
    nodes.map(({ id, column, row }) => [
      id,
      { x: room.edge + columns.indexOf(column) * room.column, y: room.edge + rows.indexOf(row) * room.row },
    ]),
  );
  const labels = new Map(nodes.map(({ id, label }) => [id, visibleLabel(label)]));
  const largest = edges.reduce((most, { weight }) => Math.max(most, Math.abs(weight)), 0);
  const width = columns.length * room.column + 2 * room.edge;
  const height = rows.length * room.row + 2 * room.edge;
  return html`<svg class="picture" viewBox="0 0 ${width} ${height}" width=${width} role="group" aria-label=${`${title} (${unit})`}>
      ${svg`${edges.map(({ from, to, weight }) => {
        const [a, b] = [places.get(from), places.get(to)];
        if (a === undefined || b === undefined) return nothing;
        const [x1, y1, x2, y2] = [a.x + room.width, a.y + room.height / 2, b.x, b.y + room.height / 2];
        const middle = (x1 + x2) / 2;
        return svg`<path class=${weight < 0 ? 'lowers' : 'raises'} stroke-width=${0.5 + (5 * Math.abs(weight)) / (largest || 1)} opacity="0.7"
            d=${`M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}></path>`;
      })}
        ${nodes.map(({ id, label, tokens }) => {
          const { x, y } = places.get(id) ?? { x: 0, y: 0 };
          return svg`<g class="node" tabindex="0" role="img" aria-label=${visibleLabel(label)}
              @mouseenter=${() => mark(tokens)} @focus=${() => mark(tokens)} @mouseleave=${() => mark(undefined)} @blur=${() => mark(undefined)}>
              <rect x=${x} y=${y} width=${room.width} height=${room.height} rx="3"></rect>
              <text x=${x + 5} y=${y + 14}>${visibleLabel(label).slice(0, 13)}</text>
            </g>`;
        })}`}
    </svg>
    <details>
      <summary>${edges.length} × ${text.weight} (${visibleText(unit)})</summary>
      <table>
        <thead><tr><th scope="col">${text.from}</th><th scope="col">${text.to}</th><th scope="col" class="number">${text.weight}</th></tr></thead>
        <tbody>
          ${[...edges]
            .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
            .slice(0, 200)
            .map(
              ({ from, to, weight }) =>
                html`<tr><th scope="row">${labels.get(from) ?? from}</th><td>${labels.get(to) ?? to}</td><td class="number">${formatSignificant(weight)}</td></tr>`,
            )}
        </tbody>
      </table>
    </details>`;
}
