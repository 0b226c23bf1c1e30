import type { TextBlock } from '../../../shared/inspection/blocks.ts';
import type { BlockPage } from '../toolView.ts';
import { visibleText } from '../visibleText.ts';

export function textLines({ lines, tone }: TextBlock, { theme }: BlockPage): string[] {
  const paint = tone === 'warning' ? theme.warning : (text: string) => text;
  return lines.map((line) => paint(visibleText(line)));
}
