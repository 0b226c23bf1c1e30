import { html, type TemplateResult } from 'lit';
import type { EditBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';

/** Characters shown around a change. */
const around = 60;

export function editView({ edits, before, after }: EditBlock, { result, text, apply }: BlockContext): TemplateResult {
  const { promptText } = result;
  const ordered = [...edits].sort((a, b) => a.start - b.start);
  return html`${ordered.map(
    ({ start, end, text: written }) =>
      html`<p class="prompt mono">${visibleText(promptText.slice(Math.max(0, start - around), start))}<del>${visibleText(
        promptText.slice(start, end),
      )}</del><ins>${visibleText(written)}</ins>${visibleText(promptText.slice(end, end + around))}</p>`,
  )}
    <p><span class="muted">${text.before}:</span> ${visibleText(before)}</p>
    <p><span class="muted">${text.after}:</span> ${visibleText(after)}</p>
    <div class="row">${button({ label: text.apply, onClick: apply })}</div>`;
}
