import type { EditBlock } from '../../../shared/inspection/blocks.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';

export function editLines({ edits, before, after }: EditBlock, { theme, promptText }: BlockPage): string[] {
  const lines = edits.flatMap(({ start, end, text }) => [
    theme.warning(`  - ${visibleText(promptText.slice(start, end))}`),
    theme.good(`  + ${visibleText(text)}`),
  ]);
  return [...lines, `  before: ${visibleText(before)}`, `  after:  ${visibleText(after)}`];
}
