/** Curves as a picture, and the same numbers as a table. Lines differ in their dashes too, not in colour alone. */
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import type { CurveBlock } from '../../../src/shared/inspection/blocks.ts';
import { visibleLabel } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockContext.ts';
import { cellText } from './cellText.ts';
import { curvePoints, curveRange, isFinitePoint } from './curvePoints.ts';

const looks = 4;
const frame = { left: 58, top: 10, width: 380, height: 170 };

export function curveBlock(block: CurveBlock, { text }: BlockContext): TemplateResult {
  const range = curveRange(block);
  const bottom = frame.top + frame.height;
  const right = frame.left + frame.width;
  const label = text.curveLabel(visibleLabel(block.title), block.series.map((each) => visibleLabel(each.label)).join(', '));
  return html`
    <svg class="curve large" width="460" height="216" viewBox="0 0 460 216" role="img" aria-label=${label}>
      ${svg`<path class="axis" d="M${frame.left} ${frame.top}V${bottom}H${right}"></path>`}
      ${svg`<text x=${frame.left - 6} y=${frame.top + 8} text-anchor="end">${cellText(range.y[1])}</text>`}
      ${svg`<text x=${frame.left - 6} y=${bottom} text-anchor="end">${cellText(range.y[0])}</text>`}
      ${svg`<text x=${frame.left} y=${bottom + 16} text-anchor="middle">${cellText(range.x[0])}</text>`}
      ${svg`<text x=${right} y=${bottom + 16} text-anchor="end">${cellText(range.x[1])}</text>`}
      ${svg`<text x=${(frame.left + right) / 2} y=${bottom + 30} text-anchor="middle">${visibleLabel(block.x)}</text>`}
      ${svg`<text x="12" y=${frame.top + frame.height / 2} text-anchor="middle" transform="rotate(-90 12 ${frame.top + frame.height / 2})">${visibleLabel(block.y)}</text>`}
      ${
        block.diagonal === true
          ? svg`<polyline class="axis" points=${curvePoints(
              [
                [range.x[0], range.x[0]],
                [range.x[1], range.x[1]],
              ],
              range,
              frame,
            )}></polyline>`
          : nothing
      }
      ${block.series.map(({ points }, index) => svg`<polyline class="line${index % looks}" points=${curvePoints(points, range, frame)}></polyline>`)}
      ${block.series.map(({ points }, index) =>
        points.length > 40
          ? nothing
          : curvePoints(points, range, frame)
              .split(' ')
              .filter((point) => point !== '')
              .map(
                (point) =>
                  svg`<circle class="line${index % looks}" cx=${point.split(',')[0] ?? 0} cy=${point.split(',')[1] ?? 0} r="2.5"></circle>`,
              ),
      )}
    </svg>
    <ul class="curve-legend">
      ${block.series.map(
        ({ label: name }, index) => html`<li>
          <svg class="curve" width="28" height="8" viewBox="0 0 28 8" aria-hidden="true">
            ${svg`<path class="line${index % looks}" d="M0 4H28"></path>`}
          </svg>
          <bdi>${visibleLabel(name)}</bdi>
        </li>`,
      )}
      ${block.diagonal === true ? html`<li class="muted">${text.diagonal}</li>` : nothing}
    </ul>
    <details>
      <summary>${text.asTable}</summary>
      ${numbers(block)}
    </details>
  `;
}

/** One row an x at which any curve has a point. */
function numbers({ x, y, title, series }: CurveBlock): TemplateResult {
  const found = [...new Set(series.flatMap(({ points }) => points.filter(isFinitePoint).map(([at]) => at)))].sort(
    (a, b) => a - b,
  );
  const columns = series.map(({ points }) => new Map(points.map((point) => [point[0], point[1]] as const)));
  return html`<table>
    <caption class="visually-hidden">${visibleLabel(title)}</caption>
    <thead>
      <tr>
        <th scope="col" class="number">${visibleLabel(x)}</th>
        ${series.map(({ label }) => html`<th scope="col" class="number"><bdi>${visibleLabel(series.length === 1 ? y : label)}</bdi></th>`)}
      </tr>
    </thead>
    <tbody>
      ${found.map(
        (at) => html`<tr>
          <th scope="row" class="number">${cellText(at)}</th>
          ${columns.map((column) => html`<td class="number">${column.has(at) ? cellText(column.get(at)) : ''}</td>`)}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

export const curveStyles = css`
  .curve polyline,
  .curve path {
    fill: none;
    stroke: var(--vscode-foreground);
    stroke-width: 1.5;
  }
  .curve circle {
    fill: var(--vscode-foreground);
  }
  .curve .line0 {
    stroke: var(--vscode-charts-blue, var(--vscode-focusBorder));
    stroke-width: 2;
  }
  .curve circle.line0 {
    fill: var(--vscode-charts-blue, var(--vscode-focusBorder));
  }
  .curve .line1 {
    stroke-dasharray: 6 3;
  }
  .curve .line2 {
    stroke-dasharray: 1 3;
    stroke-width: 2;
  }
  .curve .line3 {
    stroke-dasharray: 8 3 1 3;
  }
  .curve circle {
    stroke-dasharray: none;
  }
  .curve .axis {
    stroke: var(--vscode-descriptionForeground);
    stroke-width: 1;
  }
  .curve text {
    fill: var(--vscode-descriptionForeground);
    font-family: var(--vscode-font-family);
    font-size: 11px;
  }
  .curve.large {
    display: block;
    max-inline-size: 100%;
    block-size: auto;
  }
  .curve-legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 16px;
    margin: 0 0 4px;
    padding: 0;
    list-style: none;
  }
`;
