import type { GraphBlock } from '../../../shared/inspection/blocks.ts';
import { signed } from '../numbers.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';

const edgesShown = 40;

/** The edges, strongest first. */
export function graphLines({ nodes, edges, unit }: GraphBlock, { theme }: BlockPage): string[] {
  const labels = new Map(nodes.map(({ id, label }) => [id, visibleText(label)]));
  const strongest = [...edges].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const lines = strongest
    .slice(0, edgesShown)
    .map(({ from, to, weight }) => `  ${signed(weight).padStart(10)}  ${labels.get(from) ?? from} → ${labels.get(to) ?? to}`);
  if (edges.length > edgesShown) lines.push(theme.dim(`  … and ${edges.length - edgesShown} more, all in --json`));
  lines.push(theme.dim(`  ${nodes.length} nodes, ${edges.length} edges, in ${unit}`));
  return lines;
}
