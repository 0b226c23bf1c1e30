/** How far the picture can be trusted: a badge beside the target, and the numbers behind it. */
import { css, html, nothing, type TemplateResult } from 'lit';
import type { Explanation, Faithfulness } from '../../src/shared/explanation.ts';
import { button } from '../ui/controls.ts';
import { formatNumber, formatShare, formatSigned } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';
import { visibleText } from '../ui/visibleText.ts';
import { curveFigure, curveSpark, curveStyles } from './faithfulnessCurve.ts';
import type { PanelState } from './panelState.ts';

const marks = { trusted: '✓', weak: '~', untrusted: '✕', none: '?' } as const;

/** @param onCheck asks for the full check */
export function faithfulnessBadge(
  explanation: Explanation,
  { stage, running }: Pick<PanelState, 'stage' | 'running'>,
  onCheck: () => void,
  text: Strings,
): TemplateResult {
  const { faithfulness } = explanation;
  const final = stage === 'final';
  // What a run has found no way to measure, no longer one finds either.
  const isDone =
    faithfulness?.measures !== undefined || explanation.warnings.some(({ code }) => code === 'W_FAITHFULNESS_NOT_MEASURED');
  const more = final && !isDone ? button({ label: text.checkFully, disabled: running, onClick: onCheck }) : nothing;
  if (faithfulness === null) {
    return html`<p class="row faith">
      <span class="badge none"><span aria-hidden="true">${marks.none}</span> ${text.verdict.none}</span>
      <span class="muted">${final || !running ? text.notMeasured : text.measuring}</span>
      ${more}
    </p>`;
  }
  const { verdict, comprehensiveness, sufficiency, random, reason } = faithfulness;
  return html`<p class="row faith">
    <span class="badge ${verdict}"><span aria-hidden="true">${marks[verdict]}</span> ${text.verdict[verdict]}</span>
    ${faithfulness.curves === undefined ? nothing : curveSpark(faithfulness.curves, text)}
    <span>${visibleText(reason)}</span>
    <span class="muted"
      >${text.faithfulnessShort(
        formatNumber(comprehensiveness),
        formatNumber(random.comprehensiveness),
        formatNumber(sufficiency),
        formatNumber(random.sufficiency),
      )}</span
    >
    ${more}
  </p>`;
}

export function faithfulnessTable(explanation: Explanation, text: Strings): TemplateResult {
  const { faithfulness } = explanation;
  if (faithfulness === null) return html`<p class="muted">${text.notMeasured}</p>`;
  const unit = text.unit[explanation.target.unit];
  const cell = (value: number) => html`<td class="number">${text.scoreIs(formatNumber(value), unit)}</td>`;
  const [low, high] = faithfulness.interval;
  return html`<table>
      <caption>${text.fractions(faithfulness.fractions.map(formatShare).join(', '))}. ${text.better}</caption>
      <thead>
        <tr>
          <th scope="col">${text.measure}</th>
          <th scope="col" class="number">${text.ranking}</th>
          <th scope="col" class="number">${text.random}</th>
        </tr>
      </thead>
      <tbody>
        <tr><th scope="row">${text.comprehensiveness}</th>${cell(faithfulness.comprehensiveness)}${cell(faithfulness.random.comprehensiveness)}</tr>
        <tr><th scope="row">${text.sufficiency}</th>${cell(faithfulness.sufficiency)}${cell(faithfulness.random.sufficiency)}</tr>
      </tbody>
    </table>
    <p>
      ${text.gain} <strong>${text.scoreIs(formatSigned(faithfulness.gain), unit)}</strong>
      <span class="muted">(${text.interval(formatSigned(low), formatSigned(high))})</span>
      ${faithfulness.reason === '' ? nothing : html`— ${visibleText(faithfulness.reason)}`}
    </p>
    ${otherReasons(faithfulness)} ${faithfulness.measures === undefined ? nothing : measuresTable(faithfulness.measures, text)}
    ${faithfulness.curves === undefined ? nothing : curveFigure(faithfulness.curves, unit, text)}`;
}

/** In the reader's words where they are known; a measure of another version keeps its id. */
function measureName(id: string, text: Strings): string {
  return Object.hasOwn(text.measureNames, id) ? text.measureNames[id as keyof Strings['measureNames']] : visibleText(id);
}

/** The first one stands in the header. */
function otherReasons({ reasons = [], reason }: Faithfulness): TemplateResult | typeof nothing {
  const others = reasons.filter((each) => each !== reason);
  return others.length === 0 ? nothing : html`<ul>${others.map((each) => html`<li>${visibleText(each)}</li>`)}</ul>`;
}

function measuresTable(measures: NonNullable<Faithfulness['measures']>, text: Strings): TemplateResult {
  return html`<table>
    <caption>${text.measuresCaption}</caption>
    <thead>
      <tr>
        <th scope="col">${text.measure}</th>
        <th scope="col" class="number">${text.ranking}</th>
        <th scope="col" class="number">${text.random}</th>
        <th scope="col" class="number">${text.gain}</th>
        <td></td>
      </tr>
    </thead>
    <tbody>
      ${measures.map(
        ({ id, value, random, gain, interval: [low, high] }) => html`<tr>
          <th scope="row">${measureName(id, text)}</th>
          <td class="number">${formatNumber(value)}</td>
          <td class="number">${formatNumber(random)}</td>
          <td class="number">${formatSigned(gain)}</td>
          <td class="muted">${text.interval(formatSigned(low), formatSigned(high))}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

export const faithfulnessStyles = css`
  ${curveStyles}
  .badge {
    display: inline-flex;
    gap: 4px;
    padding: 0 7px;
    border: 1px solid currentColor;
    border-radius: 9px;
    font-size: 11px;
    line-height: 16px;
    white-space: nowrap;
  }
  .badge.trusted {
    color: var(--vscode-testing-iconPassed, var(--vscode-foreground));
  }
  .badge.weak {
    color: var(--vscode-editorWarning-foreground, var(--vscode-foreground));
  }
  .badge.untrusted {
    color: var(--vscode-errorForeground, var(--vscode-foreground));
    font-weight: 700;
  }
  .badge.none {
    color: var(--vscode-descriptionForeground);
  }
`;
