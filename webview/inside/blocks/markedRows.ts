/** Table rows that stand for tokens: pointing at one, or moving to it by keys, marks them in the editor. */
import { html, type LitElement, type TemplateResult } from 'lit';
import { nextInList } from '../../ui/rovingFocus.ts';
import type { BlockContext } from './blockContext.ts';

interface MarkedRow {
  readonly tokens?: readonly number[];
}

/** One tab stop for all rows with tokens; the arrow keys move among them, Enter brings the tokens into view. */
export function markedRows(host: LitElement, context: () => BlockContext) {
  let stop = -1;
  const focusable = () => [...host.renderRoot.querySelectorAll<HTMLElement>('[data-marked]')];
  const pressed = (event: KeyboardEvent): void => {
    const rows = focusable();
    const at = rows.indexOf((event.target as HTMLElement).closest<HTMLElement>('[data-marked]') ?? host);
    if (at < 0) return;
    const next = nextInList(event.key, at, rows.length);
    if (next === null) {
      if (event.key === 'Enter') rows[at]?.click();
      return;
    }
    event.preventDefault();
    rows[next]?.focus();
  };
  const row = (
    cells: unknown,
    tokens: readonly number[] | undefined,
    index: number,
    rows: readonly MarkedRow[],
  ): TemplateResult => {
    if (tokens === undefined || tokens.length === 0) return html`<tr>${cells}</tr>`;
    const { highlighted, onMark, onReveal } = context();
    const first = rows.findIndex((each) => (each.tokens?.length ?? 0) > 0);
    const isStop = stop >= 0 && stop < rows.length && (rows[stop]?.tokens?.length ?? 0) > 0 ? index === stop : index === first;
    const isHighlighted = highlighted !== null && tokens.includes(highlighted);
    const focused = () => {
      if (stop !== index) host.requestUpdate();
      stop = index;
      onMark(tokens);
    };
    return html`<tr
      data-marked
      class=${isHighlighted ? 'highlighted' : ''}
      tabindex=${isStop ? 0 : -1}
      @focus=${focused}
      @blur=${() => onMark([])}
      @pointerenter=${() => onMark(tokens)}
      @pointerleave=${() => onMark([])}
      @click=${() => onReveal(tokens)}
      >${cells}</tr
    >`;
  };
  return { row, pressed };
}
