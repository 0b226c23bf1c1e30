/**
 * Where units begin in a text, for every granularity that the text itself decides.
 * Every function returns ascending offsets (UTF-16) at which a new unit begins; the first is 0.
 */

/** Scripts that are written without spaces between words: only these are cut by a dictionary. */
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const opening = /^[\p{Ps}\p{Pi}]+$/u;
/** A full stop after one of these does not end a sentence. */
const abbreviation = /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|Prof|St|vs|No|Fig|Eq|cf|e\.g|i\.e|approx)\.\s*$/u;
const wrappedLine = /[^\s.!?:;。！？…][^\S\r\n]*(?:\r\n|\r|\n)$/u;

/**
 * A word is a run of characters between white space, so punctuation stays with the word it touches.
 * Inside a run, a script without spaces is cut by `Intl.Segmenter`: closing punctuation stays with the word before it,
 * opening punctuation goes with the word after it, and Latin letters beside it are words of their own.
 */
export function wordBorders(text: string): number[] {
  const borders = [0];
  for (const match of text.matchAll(/\S+/gu)) {
    if (match.index > 0) borders.push(match.index);
    if (unspaced.test(match[0])) cutUnspacedRun(match[0], match.index, borders);
  }
  return borders;
}

function cutUnspacedRun(run: string, offset: number, borders: number[]): void {
  let previous: 'none' | 'spaced' | 'unspaced' = 'none';
  let open: number | null = null;
  for (const { segment, index, isWordLike } of new Intl.Segmenter('zh', { granularity: 'word' }).segment(run)) {
    if (isWordLike !== true) {
      open = opening.test(segment) ? (open ?? index) : null;
      continue;
    }
    const kind = unspaced.test(segment) ? 'unspaced' : 'spaced';
    const start = open ?? index;
    if (start > 0 && previous !== 'none' && (kind === 'unspaced' || previous === 'unspaced')) borders.push(offset + start);
    previous = kind;
    open = null;
  }
}

/**
 * Sentences as `Intl.Segmenter` finds them, except that a line broken in the middle of a sentence (no closing mark, and the next
 * line begins in lower case) does not end it, nor does a common abbreviation. A blank line always ends a sentence.
 */
export function sentenceBorders(text: string): number[] {
  const borders = [0];
  let before = '';
  for (const { segment, index } of new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)) {
    const joined =
      abbreviation.test(before.slice(-24)) || (wrappedLine.test(before.slice(-64)) && /^[^\S\r\n]*\p{Ll}/u.test(segment));
    if (index > 0 && !joined) borders.push(index);
    before = segment;
  }
  return borders;
}

/** Lines end with LF, CRLF or CR. */
export function lineBorders(text: string): number[] {
  return bordersAfter(text, /\r\n|\r|\n/gu);
}

/** Paragraphs are separated by lines that hold nothing but white space. */
export function paragraphBorders(text: string): number[] {
  return bordersAfter(text, /(?:\r\n|\r|\n)(?:[^\S\r\n]*(?:\r\n|\r|\n))+/gu);
}

function bordersAfter(text: string, separator: RegExp): number[] {
  const borders = [0];
  for (const match of text.matchAll(separator)) borders.push(match.index + match[0].length);
  return borders;
}

/** Index of the last border at or before `offset`; `borders` is ascending. */
export function lastBorder(borders: readonly number[], offset: number): number {
  let low = 0;
  let high = borders.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((borders[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
