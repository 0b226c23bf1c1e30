/** A proposed edit: what goes and what comes, with the words around it, and a button that writes it into the document. */
import { css, html, type TemplateResult } from 'lit';
import type { EditBlock } from '../../../src/shared/inspection/blocks.ts';
import { button } from '../../ui/controls.ts';
import { visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockContext.ts';

/** Characters of the prompt shown on each side of an edit. */
const around = 60;

export function editBlock(block: EditBlock, { promptText, text, onApply }: BlockContext): TemplateResult {
  return html`
    <dl class="edit">
      <dt>${text.change}</dt>
      <dd class="mono change">${changedText(block.edits, promptText)}</dd>
      <dt>${text.before}</dt>
      <dd class="mono"><bdi>${visibleText(block.before)}</bdi></dd>
      <dt>${text.after}</dt>
      <dd class="mono"><bdi>${visibleText(block.after)}</bdi></dd>
    </dl>
    ${button({ label: text.apply, onClick: onApply })}
  `;
}

function changedText(edits: EditBlock['edits'], promptText: string): TemplateResult[] {
  const ordered = edits.toSorted((a, b) => a.start - b.start);
  return ordered.map(({ start, end, text }, index) => {
    const before = ordered[index - 1]?.end ?? 0;
    const after = ordered[index + 1]?.start ?? promptText.length;
    const from = Math.max(before, start - around);
    // What lies between two edits is shown once, before the second.
    const to = index + 1 < ordered.length ? Math.min(after - around, end + around) : end + around;
    const lead = from > before || (index === 0 && from > 0) ? '… ' : '';
    const tail = to < promptText.length && index + 1 === ordered.length ? ' …' : '';
    return html`${lead}${visibleText(promptText.slice(from, start))}${
      end > start ? html`<del>${visibleText(promptText.slice(start, end))}</del>` : ''
    }${text === '' ? '' : html`<ins>${visibleText(text)}</ins>`}${visibleText(promptText.slice(end, Math.max(end, to)))}${tail}`;
  });
}

export const editStyles = css`
  .edit {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr);
    gap: 4px 12px;
    margin: 0 0 6px;
  }
  .edit dt {
    color: var(--vscode-descriptionForeground);
  }
  .edit dd {
    margin: 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .edit ins {
    text-decoration: underline;
    text-decoration-thickness: 2px;
    background: var(--vscode-promptLoupe-positive2, transparent);
  }
  .edit del {
    text-decoration: line-through;
    background: var(--vscode-promptLoupe-negative2, transparent);
  }
`;
