import { csvText } from '../../shared/csvText.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { unitStandings } from './unitStandings.ts';

const columns = ['unit', 'label', 'kind', 'start', 'end', 'tokens', 'score', 'share', 'rank'] as const;

/** One row per unit (RFC 4180). `start` and `end` are UTF-16 offsets into the prompt; `tokens` are token indices. */
export function explanationToCsv(explanation: Explanation): string {
  const rows = unitStandings(explanation).map(({ index, score, share, rank }) => {
    const unit = explanation.units[index];
    if (unit === undefined) return [];
    return [index, unit.label, unit.kind, unit.start, unit.end, unit.tokens.join(' '), score, share, rank ?? ''];
  });
  return csvText([columns, ...rows]);
}
