import type { TextRun } from './textRuns.ts';

/** A piece of one run on one line of a grid of character cells. */
export interface PlacedRun {
  readonly text: string;
  readonly unit: number | null;
  readonly line: number;
  /** First cell. */
  readonly column: number;
  /** Cells. */
  readonly width: number;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /[\p{Extended_Pictographic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u;
const tabCells = 4;

/** Sets text in cells as a terminal would: line breaks break, long lines wrap at `columns`, East Asian characters take two cells. */
export function layOut(
  runs: readonly TextRun[],
  columns: number,
): { readonly placed: readonly PlacedRun[]; readonly lines: number } {
  const placed: PlacedRun[] = [];
  let line = 0;
  let column = 0;
  for (const { text, unit } of runs) {
    let piece = '';
    let from = column;
    const close = (): void => {
      if (piece !== '') placed.push({ text: piece, unit, line, column: from, width: column - from });
      piece = '';
      from = column;
    };
    for (const { segment } of graphemes.segment(text)) {
      if (/[\r\n]/.test(segment)) {
        close();
        line++;
        column = from = 0;
        continue;
      }
      const cells = cellsOf(segment);
      if (column + cells > columns) {
        close();
        line++;
        column = from = 0;
      }
      piece += segment === '\t' ? ' '.repeat(tabCells) : segment;
      column += cells;
    }
    close();
  }
  return { placed, lines: line + 1 };
}

function cellsOf(grapheme: string): number {
  if (grapheme === '\t') return tabCells;
  return wide.test(grapheme) ? 2 : 1;
}
