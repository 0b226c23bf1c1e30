/** Edits of a text. Offsets are UTF-16 units of the text before any edit. */
import type { TextRange } from '../../shared/tokens.ts';

export interface TextEdit extends TextRange {
  /** What stands there instead; '' deletes. */
  readonly text: string;
}

/** @param edits disjoint, in any order */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

/**
 * What goes with a word when it is deleted: the spaces before it, so that none are left double; at the beginning of a line those after
 * it. Line breaks stay.
 */
export function deletedRange(text: string, { start, end }: TextRange): TextRange {
  const before = /[^\S\r\n]*$/u.exec(text.slice(0, start))?.[0].length ?? 0;
  const isLineStart = start - before === 0 || /[\r\n]$/u.test(text.slice(0, start - before));
  if (!isLineStart) return { start: start - before, end };
  const after = /^[^\S\r\n]*/u.exec(text.slice(end))?.[0].length ?? 0;
  return { start, end: end + after };
}
