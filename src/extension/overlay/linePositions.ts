/** Offsets to lines and characters in one pass over the text, for thousands of ranges at once. */
import type { TextRange } from '../../shared/tokens.ts';

export interface LineRange {
  readonly startLine: number;
  readonly startCharacter: number;
  readonly endLine: number;
  readonly endCharacter: number;
}

/** The offset at which each line starts. A line ends at `\r\n`, `\n` or `\r`, as in the editor. */
export function lineStarts(text: string): Int32Array {
  const starts = [0];
  for (let offset = 0; offset < text.length; offset += 1) {
    const code = text.charCodeAt(offset);
    if (code === 10 || (code === 13 && text.charCodeAt(offset + 1) !== 10)) starts.push(offset + 1);
  }
  return Int32Array.from(starts);
}

/** Ranges must ascend and not overlap. Offsets beyond the text end on its last line. */
export function toLineRanges(starts: Int32Array, ranges: readonly TextRange[]): LineRange[] {
  let line = 0;
  const lineOf = (offset: number): number => {
    while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= offset) line += 1;
    return line;
  };
  return ranges.map((range) => {
    const startLine = lineOf(range.start);
    const startCharacter = range.start - (starts[startLine] ?? 0);
    const endLine = lineOf(range.end);
    return { startLine, startCharacter, endLine, endCharacter: range.end - (starts[endLine] ?? 0) };
  });
}
