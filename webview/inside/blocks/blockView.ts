/** One file a kind of block; this is the table. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Block } from '../../../src/shared/inspection/blocks.ts';
import type { ToolResult } from '../../../src/shared/protocol/tools.ts';
import { visibleText } from '../../ui/visibleText.ts';
import type { InsideStrings } from '../insideStrings.ts';
import { barsView } from './barsView.ts';
import { curveView } from './curveView.ts';
import { editView } from './editView.ts';
import { graphView } from './graphView.ts';
import './heatGrid.ts';
import { promptView } from './promptView.ts';
import './sortableTable.ts';
import { textView } from './textView.ts';

export interface BlockContext {
  readonly text: InsideStrings;
  readonly result: ToolResult;
  /** The prompt token under the editor's cursor. */
  readonly cursor: number | null;
  /** Its scores are on the prompt in the editor. */
  readonly isDrawn: boolean;
  /** Marks prompt tokens in the editor; undefined: none. */
  readonly mark: (tokens: readonly number[] | undefined) => void;
  readonly draw: (on: boolean) => void;
  readonly apply: () => void;
}

export function blockView(block: Block, context: BlockContext): TemplateResult {
  const caption = 'caption' in block ? block.caption : undefined;
  return html`<section class="block">
    ${block.title === undefined ? nothing : html`<h3>${visibleText(block.title)}</h3>`}
    ${content(block, context)}
    ${caption === undefined ? nothing : html`<p class="muted caption">${visibleText(caption)}</p>`}
  </section>`;
}

function content(block: Block, context: BlockContext): TemplateResult {
  switch (block.kind) {
    case 'heat':
      return html`<loupe-heat-grid .block=${block} .context=${context}></loupe-heat-grid>`;
    case 'table':
      return html`<loupe-sortable-table .block=${block} .context=${context}></loupe-sortable-table>`;
    case 'bars':
      return barsView(block, context);
    case 'graph':
      return graphView(block, context);
    case 'curve':
      return curveView(block);
    case 'prompt':
      return promptView(block, context);
    case 'edit':
      return editView(block, context);
    case 'text':
      return textView(block);
  }
}
