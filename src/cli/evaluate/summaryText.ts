import { padWidth } from '../terminal/displayWidth.ts';
import type { Theme } from '../terminal/theme.ts';
import { visibleText } from '../terminal/visibleText.ts';
import type { MeasureSummary, MethodSummary } from './summary.ts';
import { fixedText } from '../../shared/numberText.ts';

/** Of the many measures those a terminal has room for; `--json` and `--csv` have all. */
const shown: readonly string[] = ['drop', 'comp', 'suff', 'comprehensiveness', 'loo-correlation', 'stability', 'plausibility'];

export function summaryTable(summaries: readonly MethodSummary[], theme: Theme): string[] {
  const heading = `${padWidth('method', 32)}${padWidth('measure', 20)}${'gain'.padStart(8)}${'95 % interval'.padStart(20)}${'better'.padStart(10)}`;
  return [
    theme.bold(heading),
    ...summaries.flatMap(({ method, measures, forwardPasses, milliseconds, trusted, cases }) => [
      ...measures
        .filter(({ id }) => shown.includes(id))
        .map((measure, index) => `${padWidth(index === 0 ? visibleText(method) : '', 32)}${measureCells(measure)}`),
      theme.dim(
        `${padWidth('', 32)}${forwardPasses.toFixed(1)} forward passes, ${(milliseconds / 1000).toFixed(1)} s a case; trusted ${trusted} of ${cases}`,
      ),
    ]),
  ];
}

function measureCells({ id, gain, interval, better, cases }: MeasureSummary): string {
  const range = interval === null ? '–' : `${fixedText(interval[0], 2)} to ${fixedText(interval[1], 2)}`;
  return `${padWidth(id, 20)}${fixedText(gain, 2).padStart(8)}${range.padStart(20)}${`${better} of ${cases}`.padStart(10)}`;
}

const columns = [
  'method',
  'measure',
  'gain',
  'low',
  'high',
  'value',
  'random',
  'better',
  'cases',
  'forwardPasses',
  'milliseconds',
];

/** One row for each method and measure (RFC 4180). */
export function summaryCsv(summaries: readonly MethodSummary[]): string {
  const rows = summaries.flatMap(({ method, measures, forwardPasses, milliseconds }) =>
    measures.map(({ id, gain, interval, value, random, better, cases }) => [
      /[",\r\n]/.test(method) ? `"${method.replaceAll('"', '""')}"` : method,
      id,
      gain,
      interval?.[0] ?? '',
      interval?.[1] ?? '',
      value,
      random,
      better,
      cases,
      forwardPasses,
      milliseconds,
    ]),
  );
  return [columns, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
