import type { CurveBlock } from '../../../shared/inspection/blocks.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';
import { cellText } from './tableLines.ts';

/** The points as numbers: a terminal draws no curves well. */
export function curveLines({ x, y, series }: CurveBlock, { theme }: BlockPage): string[] {
  const lines = [theme.dim(`  ${x} → ${y}`)];
  for (const { label, points } of series) {
    lines.push(`  ${visibleText(label)}: ${points.map(([at, value]) => `${cellText(at)} → ${cellText(value)}`).join(', ')}`);
  }
  return lines;
}
