import type { TextRange } from '../../shared/tokens.ts';

/** One range per token, ascending; `exact` is false when some of them are only where the token must roughly be. */
export interface Alignment {
  readonly ranges: readonly TextRange[];
  readonly exact: boolean;
}

/**
 * Ranges for the tokens that could not be matched (null): all the text between their matched neighbours.
 * `length` in code units.
 */
export function fillUnmatched(ranges: readonly (TextRange | null)[], length: number): Alignment {
  const filled: TextRange[] = [];
  let previousEnd = 0;
  let nextMatched = 0;
  let exact = true;
  for (const [index, range] of ranges.entries()) {
    if (range !== null) {
      filled.push(range);
      previousEnd = Math.max(previousEnd, range.end);
      continue;
    }
    exact = false;
    nextMatched = Math.max(nextMatched, index);
    while (nextMatched < ranges.length && ranges[nextMatched] === null) nextMatched++;
    const end = ranges[nextMatched]?.start ?? length;
    filled.push({ start: Math.min(previousEnd, end), end });
  }
  return { ranges: filled, exact };
}
