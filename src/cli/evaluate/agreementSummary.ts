/** Agreement between methods: means over cases, with intervals, and the table a terminal shows. */
import { agreement, type Agreement } from '../../analysis/agreement.ts';
import { meanInterval, meanOf } from '../../analysis/faithfulness/interval.ts';
import { padWidth } from '../terminal/displayWidth.ts';
import type { Theme } from '../terminal/theme.ts';
import { visibleText } from '../terminal/visibleText.ts';
import type { Result } from './resultFile.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface AgreementSummary {
  readonly methods: readonly [string, string];
  /** Means over cases, and their 95 % bootstrap intervals; of one case the interval over its units. */
  readonly correlation: number;
  readonly correlationInterval: readonly [number, number];
  readonly overlap: number;
  readonly overlapInterval: readonly [number, number];
  readonly chanceOverlap: number;
  readonly cases: number;
}

/** Each pair of methods that were run on the same cases; results that hold no scores, written before they did, count for nothing. */
export function summariseAgreement(results: readonly Result[], methods: readonly string[], seed: number): AgreementSummary[] {
  const pairs = methods.flatMap((first, at) => methods.slice(at + 1).map((second) => [first, second] as const));
  return pairs.flatMap((pair) => {
    const found = agreementsOf(results, pair, seed);
    return found.length === 0 ? [] : [summaryOf(pair, found, seed)];
  });
}

function agreementsOf(results: readonly Result[], [first, second]: readonly [string, string], seed: number): Agreement[] {
  return results.flatMap((a) => {
    if (a.method !== first || a.scores === undefined) return [];
    const b = results.find((other) => other.method === second && other.case === a.case);
    if (b?.scores === undefined || b.scores.values.length !== a.scores.values.length || a.scores.ranked.length < 2) return [];
    const [left, right] = [a.scores, b.scores].map(({ values, signed }) => ({ scores: values, signed }));
    return left === undefined || right === undefined ? [] : [agreement(left, right, a.scores.ranked, seed)];
  });
}

function summaryOf(methods: readonly [string, string], found: readonly Agreement[], seed: number): AgreementSummary {
  const [only] = found;
  const interval = (of: (each: Agreement) => number, alone: readonly [number, number]) =>
    found.length === 1 ? alone : meanInterval(found.map(of), seed);
  return {
    methods,
    correlation: meanOf(found.map(({ correlation }) => correlation)),
    correlationInterval: interval(({ correlation }) => correlation, only?.correlationInterval ?? [0, 0]),
    overlap: meanOf(found.map(({ overlap }) => overlap)),
    overlapInterval: interval(({ overlap }) => overlap, only?.overlapInterval ?? [0, 0]),
    chanceOverlap: meanOf(found.map(({ chanceOverlap }) => chanceOverlap)),
    cases: found.length,
  };
}

/** Method by method: above the diagonal the rank correlation, below it the overlap of the top units. Nothing where there is no pair. */
export function agreementTable(summaries: readonly AgreementSummary[], methods: readonly string[], theme: Theme): string[] {
  if (summaries.length === 0) return [];
  const cell = (row: number, column: number) => {
    const [first, second] = [methods[Math.min(row, column)], methods[Math.max(row, column)]];
    const summary = summaries.find((each) => each.methods[0] === first && each.methods[1] === second);
    if (row === column || summary === undefined) return '–';
    return fixedText(row < column ? summary.correlation : summary.overlap, 2);
  };
  const chance = meanOf(summaries.map(({ chanceOverlap }) => chanceOverlap));
  return [
    '',
    theme.bold(`${padWidth('agreement', 32)}${methods.map((_, column) => `(${column + 1})`.padStart(7)).join('')}`),
    ...methods.map(
      (method, row) =>
        padWidth(`(${row + 1}) ${visibleText(method)}`, 32) + methods.map((_, column) => cell(row, column).padStart(7)).join(''),
    ),
    theme.dim(`above the diagonal rank correlation, below it overlap of the top units (two random orders: ${chance.toFixed(2)})`),
  ];
}
