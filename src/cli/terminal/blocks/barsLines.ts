import { paletteStep } from '../../../shared/colourScale.ts';
import type { BarsBlock } from '../../../shared/inspection/blocks.ts';
import { padWidth } from '../displayWidth.ts';
import { signed } from '../numbers.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';

const rowsShown = 40;
const labelWidth = 24;
const barWidth = 24;

export function barsLines({ bars, total, unit }: BarsBlock, { theme }: BlockPage): string[] {
  const largest = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const lines = bars.slice(0, rowsShown).map(({ label, value, detail }) => {
    const filled = largest > 0 ? Math.round((Math.abs(value) / largest) * barWidth) : 0;
    const bar = theme.step(paletteStep(value, largest))((value < 0 ? '░' : '█').repeat(filled));
    const more = detail === undefined ? '' : theme.dim(`  ${visibleText(detail)}`);
    return `  ${padWidth(visibleText(label), labelWidth)} ${signed(value).padStart(10)}  ${bar}${more}`;
  });
  if (bars.length > rowsShown) lines.push(theme.dim(`  … and ${bars.length - rowsShown} more, all in --json`));
  if (total !== undefined) lines.push(`  ${padWidth(visibleText(total.label), labelWidth)} ${signed(total.value).padStart(10)}`);
  lines.push(theme.dim(`  in ${unit}`));
  return lines;
}
