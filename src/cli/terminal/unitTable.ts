/** The words that mattered most, strongest first, each with score, bar and share. */
import { paletteStep } from '../../shared/colourScale.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { hasSign } from '../../shared/scoreSign.ts';
import { displayWidth, fitWidth, padWidth } from './displayWidth.ts';
import { largestTextScore } from './heatRuns.ts';
import { percent, signed } from './numbers.ts';
import type { Theme } from './theme.ts';
import { visibleText } from './visibleText.ts';

const widestBar = 20;

/** Indices of the author's own units, largest |score| first; ties in reading order. */
function rankedUnits({ units, scores }: Pick<Explanation, 'units' | 'scores'>): number[] {
  return units
    .map((_, index) => index)
    .filter((index) => units[index]?.kind === 'text')
    .sort((a, b) => Math.abs(scores[b] ?? 0) - Math.abs(scores[a] ?? 0) || a - b);
}

/** @param limit rows at most */
export function unitTable(explanation: Explanation, theme: Theme, columns: number, limit: number): string[] {
  const ranked = rankedUnits(explanation);
  const barColumns = Math.min(widestBar, Math.max(5, columns - 48));
  const shown = ranked.slice(0, limit);
  const largest = largestTextScore(explanation);
  const total = ranked.reduce((sum, index) => sum + Math.abs(explanation.scores[index] ?? 0), 0);
  const labels = shown.map((index) => quoted(explanation.units[index]?.label ?? ''));
  const labelColumns = Math.min(Math.max(8, columns - barColumns - 28), Math.max(4, ...labels.map(displayWidth)));
  const number = hasSign(explanation.method) ? signed : (score: number) => signed(score).replace('+', '');
  const lines = shown.map((index, rank) => {
    const score = explanation.scores[index] ?? 0;
    const share = total > 0 ? percent(Math.abs(score) / total) : '–';
    const filled = largest > 0 ? Math.round((Math.abs(score) / largest) * barColumns) : 0;
    const bar = (score < 0 ? '░' : '█').repeat(filled);
    const label = theme.step(paletteStep(score, largest))(fitWidth(labels[rank] ?? '', labelColumns));
    const fill = ' '.repeat(Math.max(0, labelColumns - displayWidth(fitWidth(labels[rank] ?? '', labelColumns))));
    return `${String(rank + 1).padStart(4)}  ${label}${fill}  ${number(score).padStart(9)}  ${padWidth(bar, barColumns)}  ${share.padStart(7)}`;
  });
  if (ranked.length > shown.length) lines.push(theme.dim(`      … and ${ranked.length - shown.length} more`));
  return lines;
}

/** A label on one line: sections and paragraphs hold line breaks. */
function quoted(label: string): string {
  return visibleText(label.trim().replace(/\s+/g, ' '));
}
