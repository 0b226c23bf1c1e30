/** How the target falls while units are taken out: small beside the badge, and large with its axes, its words and its table. */
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import type { Faithfulness } from '../../src/shared/explanation.ts';
import { formatNumber, formatShare } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';
import { type CurveFrame, type CurvePoint, polylinePoints, valueAt, valueRange } from './curveGeometry.ts';

type Curves = NonNullable<Faithfulness['curves']>;
type CurveName = keyof Curves;

const names: readonly CurveName[] = ['deletion', 'randomDeletion', 'insertion'];

function given(curves: Curves): { readonly name: CurveName; readonly points: readonly CurvePoint[] }[] {
  return names.flatMap((name) => {
    const points = curves[name];
    return points === undefined || points.length === 0 ? [] : [{ name, points }];
  });
}

/** What a picture says, in words: where each curve begins, stands halfway and ends. */
function spoken(curves: Curves, text: Strings): string {
  const parts = given(curves).map(({ name, points }) =>
    text.curveEnds(
      text.curveName[name],
      formatNumber(points[0]?.[1] ?? Number.NaN),
      formatNumber(points.at(-1)?.[1] ?? Number.NaN),
      formatNumber(valueAt(points, 0.5)),
    ),
  );
  return `${text.curveCaption}. ${parts.join('. ')}.`;
}

/** As small as a word: the ranking's fall against the random one. */
export function curveSpark(curves: Curves, text: Strings): TemplateResult {
  const shown = given(curves).filter(({ name }) => name !== 'insertion');
  const range = valueRange(shown.map(({ points }) => points));
  const frame: CurveFrame = { left: 2, top: 2, width: 60, height: 14 };
  return html`<svg class="curve spark" width="64" height="18" viewBox="0 0 64 18" role="img" aria-label=${spoken(curves, text)}>
    ${lines(shown, range, frame)}
  </svg>`;
}

/** The whole figure. Lines differ in their dashes too, not in colour alone. */
export function curveFigure(curves: Curves, unit: string, text: Strings): TemplateResult {
  const shown = given(curves);
  const range = valueRange(shown.map(({ points }) => points));
  const [low, high] = range;
  const frame: CurveFrame = { left: 56, top: 10, width: 330, height: 140 };
  const bottom = frame.top + frame.height;
  const right = frame.left + frame.width;
  return html`<figure>
    <figcaption class="muted">${text.curveCaption}</figcaption>
    <svg class="curve large" width="400" height="180" viewBox="0 0 400 180" role="img" aria-label=${spoken(curves, text)}>
      ${svg`<path class="axis" d="M${frame.left} ${frame.top}V${bottom}H${right}"></path>`}
      ${[high, low].map((value, index) => svg`<text x=${frame.left - 6} y=${index === 0 ? frame.top + 8 : bottom} text-anchor="end">${formatNumber(value)}</text>`)}
      ${[0, 0.5, 1].map((share) => svg`<text x=${frame.left + share * frame.width} y=${bottom + 16} text-anchor=${share === 1 ? 'end' : 'middle'}>${formatShare(share)}</text>`)}
      ${lines(shown, range, frame)}
    </svg>
    <ul class="curve-legend">
      ${shown.map(
        ({ name }) => html`<li>
          <svg class="curve" width="28" height="8" viewBox="0 0 28 8" aria-hidden="true">
            ${svg`<path class=${name} d="M0 4H28"></path>`}
          </svg>
          ${text.curveName[name]}
        </li>`,
      )}
    </ul>
    ${curveTable(curves, unit, text)}
  </figure>`;
}

function lines(
  shown: readonly { readonly name: CurveName; readonly points: readonly CurvePoint[] }[],
  range: readonly [number, number],
  frame: CurveFrame,
) {
  return shown.map(({ name, points }) => svg`<polyline class=${name} points=${polylinePoints(points, range, frame)}></polyline>`);
}

/** The same numbers: one row a share at which any curve was measured. */
function curveTable(curves: Curves, unit: string, text: Strings): TemplateResult {
  const shown = given(curves);
  const shares = [...new Set(shown.flatMap(({ points }) => points.map(([share]) => share)))].sort((a, b) => a - b);
  return html`<table>
    <caption class="visually-hidden">${text.curveCaption}</caption>
    <thead>
      <tr>
        <th scope="col" class="number">${text.curveShare}</th>
        ${shown.map(({ name }) => html`<th scope="col" class="number">${text.curveName[name]}${unit === '' ? nothing : ` (${unit})`}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${shares.map(
        (share) => html`<tr>
          <th scope="row" class="number">${formatShare(share)}</th>
          ${shown.map(({ points }) => {
            const point = points.find(([at]) => at === share);
            return html`<td class="number">${point === undefined ? '' : formatNumber(point[1])}</td>`;
          })}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

export const curveStyles = css`
  figure {
    margin: 12px 0 0;
  }
  .curve polyline,
  .curve path {
    fill: none;
    stroke: var(--vscode-foreground);
    stroke-width: 1.5;
  }
  .curve .deletion {
    stroke: var(--vscode-charts-blue, var(--vscode-focusBorder));
    stroke-width: 2;
  }
  .curve .randomDeletion {
    stroke-dasharray: 4 3;
  }
  .curve .insertion {
    stroke-dasharray: 1 3;
    stroke-width: 2;
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
    max-inline-size: 100%;
    block-size: auto;
  }
  .curve-legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 16px;
    margin: 0 0 8px;
    padding: 0;
    list-style: none;
  }
`;
