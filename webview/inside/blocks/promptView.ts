/** The prompt with its tokens tinted, and a switch that draws the same in the editor. */
import { html, type TemplateResult } from 'lit';
import { paletteStep } from '../../../src/shared/colourScale.ts';
import type { PromptBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { tintClass } from '../../ui/sharedStyles.ts';
import { visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';

export function promptView({ scores, unit }: PromptBlock, { result, text, isDrawn, draw }: BlockContext): TemplateResult {
  const { tokens, promptText } = result;
  const largest = scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
  let end = 0;
  return html`<p class="prompt mono">${tokens.map((token, index) => {
    const start = Math.max(end, token.start);
    const between = promptText.slice(end, start);
    end = Math.max(end, token.end);
    const score = scores[index] ?? 0;
    return html`${visibleText(between)}<span class=${tintClass(paletteStep(score, largest))} title=${`${formatSignificant(score)} ${unit}`}>${visibleText(promptText.slice(start, end))}</span>`;
  })}</p>
    <div class="row">
      ${button({ label: isDrawn ? text.hideOnPrompt : text.showOnPrompt, onClick: () => draw(!isDrawn) })}
    </div>`;
}
