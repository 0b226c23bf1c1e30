/** One attention head as a table: for each query token the keys it looked at most. */
import type { AttentionHead } from '../../shared/protocol/engine.ts';
import { padWidth } from './displayWidth.ts';
import { percent } from './numbers.ts';
import { tokenText } from './responseTable.ts';
import type { Theme } from './theme.ts';

const keysShown = 3;

export function attentionView({ tokens, layer, head, shape, values }: AttentionHead, theme: Theme): string[] {
  const [queries, keys] = shape;
  const lines = [theme.bold(`Layer ${layer}, head ${head}: each token and where it looked (rows sum to 100 %)`)];
  for (let query = 0; query < queries; query += 1) {
    const row = values.subarray(query * keys, (query + 1) * keys);
    const strongest = Array.from(row.keys())
      .sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b)
      .slice(0, Math.min(keysShown, query + 1))
      .map((key) => `${tokenText(tokens[key]?.text ?? '')} ${percent(row[key] ?? 0)}`);
    lines.push(
      `${String(query).padStart(5)} ${padWidth(tokenText(tokens[query]?.text ?? ''), 22)} ${strongest.join(theme.dim(' · '))}`,
    );
  }
  return lines;
}
