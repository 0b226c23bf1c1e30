/** Where the bars of a bars block lie on a line from 0 to 100. Pure. */
import type { BarsBlock } from '../../../src/shared/inspection/blocks.ts';

export interface BarSpan {
  readonly start: number;
  readonly size: number;
  readonly isNegative: boolean;
}

export interface BarSpans {
  /** Null for a value that is no number. */
  readonly spans: readonly (BarSpan | null)[];
  readonly total: BarSpan | null;
  /** Where 0 lies. */
  readonly zero: number;
}

export function barSpans({ bars, total, waterfall }: Pick<BarsBlock, 'bars' | 'total' | 'waterfall'>): BarSpans {
  const ends: (readonly [number, number] | null)[] = [];
  let level = 0;
  for (const { value } of bars) {
    const isNumber = Number.isFinite(value);
    const from = waterfall === true ? level : 0;
    ends.push(isNumber ? [from, from + value] : null);
    if (isNumber) level += value;
  }
  const last = total !== undefined && Number.isFinite(total.value) ? ([0, total.value] as const) : null;
  let [low, high] = [0, 0];
  for (const each of [...ends, last]) {
    if (each === null) continue;
    low = Math.min(low, ...each);
    high = Math.max(high, ...each);
  }
  const scale = high === low ? 0 : 100 / (high - low);
  const span = (each: readonly [number, number] | null): BarSpan | null =>
    each === null
      ? null
      : {
          start: (Math.min(...each) - low) * scale,
          size: Math.abs(each[1] - each[0]) * scale,
          isNegative: each[1] < each[0],
        };
  return { spans: ends.map(span), total: span(last), zero: (0 - low) * scale };
}
