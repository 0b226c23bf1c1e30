/** What a hover says about one unit while two explanations are compared. */
import type { Comparison } from '../../shared/difference.ts';
import type { Translate } from '../translate.ts';
import type { HoverLine } from './hoverLines.ts';

export function comparisonLines(label: string, unit: number, comparison: Comparison, t: Translate): HoverLine[] {
  const { a, b, scores, nameA, nameB, signed } = comparison;
  const other = b[unit] ?? null;
  const part = (value: number) => percent(value, signed);
  const fact = (text: string): HoverLine => ({ kind: 'fact', text });
  return [
    { kind: 'title', text: label },
    fact(t('A, {0}: {1}', nameA, part(a[unit] ?? 0))),
    fact(other === null ? t('B, {0}: not there', nameB) : t('B, {0}: {1}', nameB, part(other))),
    fact(t('Difference A − B: {0} of all weight', percent(scores[unit] ?? 0, true))),
    ...(signed ? [] : [fact(t('Sizes are compared: one of the two has no sign.'))]),
  ];
}

/** `+12.3 %`; the minus sign is the typographic one. */
function percent(part: number, signed: boolean): string {
  const digits = (100 * Math.abs(part)).toFixed(1);
  const sign = part < 0 ? '−' : signed && part > 0 ? '+' : '';
  return `${sign}${digits} %`;
}
