/** Plain words. */
import { html, type TemplateResult } from 'lit';
import type { TextBlock } from '../../../src/shared/inspection/blocks.ts';
import { visibleText } from '../../ui/visibleText.ts';

export function textBlock({ tone, lines }: TextBlock): TemplateResult {
  const look = tone === 'warning' ? 'box warning' : tone === 'finding' ? 'box finding' : '';
  return html`<div class="words ${look}">${lines.map((line) => html`<p><bdi>${visibleText(line)}</bdi></p>`)}</div>`;
}
