/** Lines through points, with the points as a table for those who do not see them. */
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { CurveBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { visibleText } from '../../ui/visibleText.ts';

const size = { width: 420, height: 220, edge: 36 } as const;
const dashes = ['', '6 3', '2 3', '8 3 2 3'];

export function curveView(block: CurveBlock): TemplateResult {
  const points = block.series.flatMap((series) => series.points);
  const xs = points.map(([x]) => x);
  const ys = [...points.map(([, y]) => y), ...(block.diagonal === true ? xs : [])];
  const range = (values: readonly number[]) => ({ low: Math.min(...values), high: Math.max(...values) });
  const [x, y] = [range(xs), range(ys)];
  const place = (value: number, { low, high }: { low: number; high: number }, length: number) =>
    ((value - low) / (high - low || 1)) * length;
  const at = ([px, py]: readonly [number, number]) =>
    `${size.edge + place(px, x, size.width - 2 * size.edge)},${size.height - size.edge - place(py, y, size.height - 2 * size.edge)}`;
  const path = (line: readonly (readonly [number, number])[]) => line.map(at).join(' ');
  return html`<svg class="picture" viewBox="0 0 ${size.width} ${size.height}" width=${size.width} role="img" aria-label=${`${block.title}: ${block.x}, ${block.y}`}>
      ${svg`<polyline class="line" points=${`${size.edge},${size.edge} ${size.edge},${size.height - size.edge} ${size.width - size.edge},${size.height - size.edge}`}></polyline>
        ${
          block.diagonal === true
            ? svg`<polyline class="line" stroke-dasharray="2 4" points=${path([
                [x.low, x.low],
                [x.high, x.high],
              ])}></polyline>`
            : nothing
        }
        ${block.series.map((series, index) => svg`<polyline class="raises" stroke-width="2" stroke-dasharray=${dashes[index % dashes.length] ?? ''} points=${path(series.points)}></polyline>`)}
        <text x=${size.width / 2} y=${size.height - 6} text-anchor="middle">${visibleText(block.x)}</text>
        <text x="4" y="12">${visibleText(block.y)}</text>
        <text x=${size.edge} y=${size.height - size.edge + 14}>${formatSignificant(x.low)}</text>
        <text x=${size.width - size.edge} y=${size.height - size.edge + 14} text-anchor="end">${formatSignificant(x.high)}</text>
        <text x="2" y=${size.height - size.edge}>${formatSignificant(y.low)}</text>
        <text x="2" y=${size.edge + 4}>${formatSignificant(y.high)}</text>`}
    </svg>
    <details>
      <summary>${block.series.map(({ label }) => visibleText(label)).join(' · ')}</summary>
      <table>
        <thead><tr><th scope="col">${visibleText(block.x)}</th>${block.series.map(({ label }) => html`<th scope="col">${visibleText(label)}</th>`)}</tr></thead>
        <tbody>
          ${[...new Set(xs)]
            .sort((a, b) => a - b)
            .map(
              (value) =>
                html`<tr><th scope="row">${formatSignificant(value)}</th>${block.series.map((series) => {
                  const found = series.points.find(([px]) => px === value);
                  return html`<td class="number">${found === undefined ? '' : formatSignificant(found[1])}</td>`;
                })}</tr>`,
            )}
        </tbody>
      </table>
    </details>`;
}
