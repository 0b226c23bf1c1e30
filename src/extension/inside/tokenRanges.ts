import type { TextRange } from '../../shared/tokens.ts';
import type { Alignment } from '../overlay/alignment.ts';

/** Where these tokens stand in the document now, in document order; neighbours are joined. A token that is not there has no range. */
export function tokenRanges(alignment: Alignment, tokens: Iterable<number>): TextRange[] {
  const wanted = new Set(tokens);
  const ranges: { start: number; end: number }[] = [];
  alignment.token.forEach((token, entry) => {
    const start = alignment.start[entry] ?? 0;
    const end = alignment.end[entry] ?? 0;
    if (!wanted.has(token) || end <= start) return;
    const before = ranges.at(-1);
    if (before !== undefined && before.end >= start) before.end = Math.max(before.end, end);
    else ranges.push({ start, end });
  });
  return ranges;
}
