/** What a tool found, block by block. */
import type { Block } from '../../shared/inspection/blocks.ts';
import type { ToolResult } from '../../shared/protocol/tools.ts';
import type { Token } from '../../shared/tokens.ts';
import { barsLines } from './blocks/barsLines.ts';
import { curveLines } from './blocks/curveLines.ts';
import { editLines } from './blocks/editLines.ts';
import { graphLines } from './blocks/graphLines.ts';
import { heatLines } from './blocks/heatLines.ts';
import { promptLines } from './blocks/promptLines.ts';
import { tableLines } from './blocks/tableLines.ts';
import { textLines } from './blocks/textLines.ts';
import { duration } from './numbers.ts';
import type { Theme } from './theme.ts';
import { visibleText } from './visibleText.ts';

/** What a block's lines are made with. */
export interface BlockPage {
  readonly theme: Theme;
  readonly columns: number;
  readonly tokens: readonly Token[];
  readonly promptText: string;
}

export function toolView(
  { label, blocks, tokens, promptText, cost, warnings }: Omit<ToolResult, 'tool' | 'parameters' | 'data' | 'sourceMap'>,
  theme: Theme,
  columns: number,
): string[] {
  const page: BlockPage = { theme, columns, tokens, promptText };
  const lines = [theme.bold(label)];
  for (const block of blocks) {
    lines.push('');
    if (block.title !== undefined) lines.push(theme.bold(visibleText(block.title)));
    lines.push(...blockLines(block, page));
    if ('caption' in block && block.caption !== undefined) lines.push(theme.dim(visibleText(block.caption)));
  }
  for (const { code, message } of warnings) lines.push('', theme.warning(`${code}: ${visibleText(message)}`));
  lines.push('', theme.dim(`${duration(cost.milliseconds)}, ${cost.forwardPasses.toFixed(1)} forward passes`));
  return lines;
}

function blockLines(block: Block, page: BlockPage): string[] {
  switch (block.kind) {
    case 'heat':
      return heatLines(block, page);
    case 'table':
      return tableLines(block, page);
    case 'bars':
      return barsLines(block, page);
    case 'graph':
      return graphLines(block, page);
    case 'curve':
      return curveLines(block, page);
    case 'prompt':
      return promptLines(block, page);
    case 'edit':
      return editLines(block, page);
    case 'text':
      return textLines(block, page);
  }
}
