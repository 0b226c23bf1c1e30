/** One attention head as a table: for each query token the keys it looked at most, or where looking did most for a target. */
import type { AttentionHead } from '../../shared/protocol/engine.ts';
import { padWidth } from './displayWidth.ts';
import { percent, signed } from './numbers.ts';
import { tokenText } from './responseTable.ts';
import type { Theme } from './theme.ts';

const keysShown = 3;

export function attentionView({ tokens, layer, head, shape, values, weightedBy }: AttentionHead, theme: Theme): string[] {
  const [queries, keys] = shape;
  const what =
    weightedBy === undefined
      ? 'each token and where it looked (rows sum to 100 %)'
      : `what each token's looks did for ${tokenText(weightedBy.label)}, attention × gradient (${weightedBy.unit})`;
  const lines = [theme.bold(`Layer ${layer}, head ${head}: ${what}`)];
  const number = weightedBy === undefined ? percent : signed;
  for (let query = 0; query < queries; query += 1) {
    const row = values.subarray(query * keys, (query + 1) * keys);
    const strongest = Array.from(row.keys())
      .filter((key) => key <= query && (weightedBy === undefined || row[key] !== 0))
      .sort((a, b) => Math.abs(row[b] ?? 0) - Math.abs(row[a] ?? 0) || a - b)
      .slice(0, keysShown)
      .map((key) => `${tokenText(tokens[key]?.text ?? '')} ${number(row[key] ?? 0)}`);
    lines.push(
      `${String(query).padStart(5)} ${padWidth(tokenText(tokens[query]?.text ?? ''), 22)} ${strongest.join(theme.dim(' · '))}`,
    );
  }
  return lines;
}
