/**
 * Keeps the tokens of an explanation aligned with a document while it is edited.
 * Plain data and pure functions: nothing here knows the editor.
 */
import type { Explanation } from '../../shared/explanation.ts';
import type { TextRange } from '../../shared/tokens.ts';

/**
 * The runs of the document that stand for prompt tokens, one entry a run, in document order. A token whose text does
 * not stand in the document has no entry; one that crosses a gap of the source map has several.
 */
export interface Alignment {
  /** Index into the explanation's tokens. */
  readonly token: Int32Array;
  /** UTF-16 offset into the prompt's text at which the run starts. */
  readonly promptStart: Int32Array;
  /** UTF-16 offsets into the document, half-open. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** 1 where the word was edited since the explanation was made. */
  readonly stale: Uint8Array;
  /** Entries of one word share a number; −1 for white space and punctuation. */
  readonly word: Int32Array;
  /** 1 where the run's first (last) character belongs to a word: text typed against it changes that word. */
  readonly startsInWord: Uint8Array;
  readonly endsInWord: Uint8Array;
}

/** One replacement: `deleted` characters at `offset` (in the text before any change of the same event) give way to `inserted`. */
export interface TextChange {
  readonly offset: number;
  readonly deleted: number;
  readonly inserted: string;
}

const wordCharacter = /[\p{L}\p{N}\p{M}_'’]/u;

const wordRun = /[\p{L}\p{N}\p{M}_'’]+/gu;

/** Scripts that write words without a space between them. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** The word each UTF-16 offset belongs to, counted from 1; 0 outside words. */
function wordNumbers(text: string): Int32Array {
  const numbers = new Int32Array(text.length);
  let number = 0;
  const mark = (start: number, length: number) => {
    number += 1;
    numbers.fill(number, start, start + length);
  };
  for (const { 0: run, index } of text.matchAll(wordRun)) {
    // The segmenter finds words where nothing else does, but takes many times as long.
    if (!unspaced.test(run)) mark(index, run.length);
    else for (const part of wordSegmenter.segment(run)) mark(index + part.index, part.segment.length);
  }
  return numbers;
}

const wordSegmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

interface Run extends TextRange {
  readonly token: number;
  readonly promptStart: number;
}

/** Where each token's text stands in the document the prompt was read from. */
function runsOf(explanation: Pick<Explanation, 'tokens' | 'prompt'>): Run[] {
  const segments = [...explanation.prompt.sourceMap].sort((a, b) => a.start - b.start);
  const runs: Run[] = [];
  let first = 0;
  explanation.tokens.forEach((token, index) => {
    if (token.end <= token.start) return;
    while (first < segments.length && (segments[first]?.end ?? 0) <= token.start) first += 1;
    for (let at = first; at < segments.length; at += 1) {
      const segment = segments[at];
      if (segment === undefined || segment.start >= token.end) break;
      const start = Math.max(token.start, segment.start);
      const end = Math.min(token.end, segment.end);
      const shift = segment.documentStart - segment.start;
      if (end > start) runs.push({ token: index, promptStart: start, start: start + shift, end: end + shift });
    }
  });
  return runs.sort((a, b) => a.start - b.start || a.token - b.token);
}

/** Aligns an explanation with the document as it was when the explanation was asked for. */
export function alignTokens(explanation: Pick<Explanation, 'tokens' | 'prompt'>): Alignment {
  const runs = runsOf(explanation);
  const { text } = explanation.prompt;
  const words = wordNumbers(text);
  const lastOffset = (run: Run) => run.promptStart + (run.end - run.start) - 1;
  const isWord = (offset: number) => ((words[offset] ?? 0) > 0 ? 1 : 0);
  return {
    token: Int32Array.from(runs, (run) => run.token),
    promptStart: Int32Array.from(runs, (run) => run.promptStart),
    start: Int32Array.from(runs, (run) => run.start),
    end: Int32Array.from(runs, (run) => run.end),
    stale: new Uint8Array(runs.length),
    word: Int32Array.from(runs, (run) => {
      for (let offset = run.promptStart; offset <= lastOffset(run); offset += 1) {
        const word = words[offset] ?? 0;
        if (word > 0) return word;
      }
      return -1;
    }),
    startsInWord: Uint8Array.from(runs, (run) => isWord(run.promptStart)),
    endsInWord: Uint8Array.from(runs, (run) => isWord(lastOffset(run))),
  };
}

/** Whether typing `change` alters the run `[start, end)` or the word it belongs to. */
function touches(alignment: Alignment, index: number, change: TextChange): boolean {
  const start = alignment.start[index] ?? 0;
  const end = alignment.end[index] ?? 0;
  if (end <= start) return false;
  const { offset, deleted, inserted } = change;
  const changeEnd = offset + deleted;
  if (deleted > 0 ? offset < end && changeEnd > start : offset > start && offset < end) return true;
  const joinsLeft = end === offset && alignment.endsInWord[index] === 1;
  const joinsRight = start === changeEnd && alignment.startsInWord[index] === 1;
  if (joinsLeft)
    return inserted === ''
      ? neighbourJoins(alignment, changeEnd, 'right')
      : wordCharacter.test([...inserted.slice(0, 2)][0] ?? '');
  if (joinsRight)
    return inserted === '' ? neighbourJoins(alignment, offset, 'left') : wordCharacter.test([...inserted.slice(-2)].at(-1) ?? '');
  return false;
}

/** After a bare deletion: does a word now stand against this offset? A run cut in two counts as one, to be safe. */
function neighbourJoins(alignment: Alignment, offset: number, side: 'left' | 'right'): boolean {
  for (let index = firstEndingAfter(alignment, offset - 1); index < alignment.start.length; index += 1) {
    const start = alignment.start[index] ?? 0;
    const end = alignment.end[index] ?? 0;
    if (start > offset) return false;
    if (end <= start) continue;
    if (start < offset && end > offset) return true;
    if (side === 'right' && start === offset && alignment.startsInWord[index] === 1) return true;
    if (side === 'left' && end === offset && alignment.endsInWord[index] === 1) return true;
  }
  return false;
}

/** The first entry whose end lies beyond the offset. Starts and ends both ascend, so a binary search finds it. */
function firstEndingAfter(alignment: Alignment, offset: number): number {
  let low = 0;
  let high = alignment.end.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((alignment.end[middle] ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function applyChange(alignment: Alignment, change: TextChange): Alignment {
  const { offset, deleted, inserted } = change;
  const changeEnd = offset + deleted;
  const delta = inserted.length - deleted;
  const start = alignment.start.slice();
  const end = alignment.end.slice();
  const stale = alignment.stale.slice();
  const touched = new Set<number>();
  for (let index = firstEndingAfter(alignment, offset - 1); index < start.length; index += 1) {
    const from = start[index] ?? 0;
    const to = end[index] ?? 0;
    if (touches(alignment, index, change)) {
      stale[index] = 1;
      const word = alignment.word[index] ?? -1;
      if (word >= 0) touched.add(word);
    }
    if (from >= changeEnd) {
      start[index] = from + delta;
      end[index] = to + delta;
    } else if (to > offset) {
      // The run overlaps the change: it keeps what was before it and takes in what replaced its own characters.
      start[index] = from < offset ? from : offset;
      end[index] = to >= changeEnd ? to + delta : offset;
      if ((end[index] ?? 0) < (start[index] ?? 0)) end[index] = start[index] ?? 0;
    }
  }
  const moved: Alignment = { ...alignment, start, end, stale };
  return touched.size === 0 ? moved : { ...moved, stale: staleWords(moved, touched) };
}

function staleWords(alignment: Alignment, words: ReadonlySet<number>): Uint8Array {
  return alignment.stale.map((value, index) => (words.has(alignment.word[index] ?? -1) ? 1 : value));
}

/**
 * Moves an alignment through one change event. The changes of one event do not overlap and all count from the text
 * before the event (several cursors), so they are applied from the last to the first.
 */
export function applyEdit(alignment: Alignment, changes: readonly TextChange[]): Alignment {
  return [...changes].sort((a, b) => b.offset - a.offset).reduce(applyChange, alignment);
}

/** The entry that covers a document offset, or −1. */
export function entryAt(alignment: Alignment, offset: number): number {
  const index = firstEndingAfter(alignment, offset);
  return (alignment.start[index] ?? Number.POSITIVE_INFINITY) <= offset ? index : -1;
}
