import { html, type TemplateResult } from 'lit';
import type { TextBlock } from '../../../src/shared/inspection/blocks.ts';
import { visibleText } from '../../ui/visibleText.ts';

export function textView({ lines, tone }: TextBlock): TemplateResult {
  return html`<div class=${tone === 'warning' ? 'box warning' : 'box'}>${lines.map((line) => html`<p class="prompt">${visibleText(line)}</p>`)}</div>`;
}
