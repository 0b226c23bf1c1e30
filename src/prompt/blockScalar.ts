/**
 * YAML block scalars (`|` and `>`). Every line of one stands in the value without its indentation; only the separators between
 * lines are rewritten. So the value is walked line by line, and what does not fit gets no map, never a wrong one.
 */
import { MappedTextBuilder, unmapped, verbatim, type MappedText } from './mappedText.ts';

interface SourceLine {
  readonly start: number;
  /** Without the line break. */
  readonly end: number;
  /** Where the line feed stands, or −1 on the last line. */
  readonly lineFeed: number;
}

/** A block scalar in [start, end), header included; `value` is what the parser read. */
export function readBlockScalar(document: string, start: number, end: number, value: string): MappedText {
  const lines = linesOf(document, start, end).slice(1);
  const indentation = indentationOf(document, lines, value);
  const text = new MappedTextBuilder();
  let lineFeeds: number[] = [];
  for (const line of lines) {
    const from = Math.min(line.start + indentation, line.end);
    if (from < line.end) {
      const separator = separatorAt(value, text.length, document[from] as string);
      if (!value.startsWith(document.slice(from, line.end), text.length + separator.length)) return unmapped(value);
      appendSeparator(document, separator, lineFeeds, text);
      text.append(verbatim(document, from, line.end));
      lineFeeds = [];
    }
    if (line.lineFeed >= 0) lineFeeds.push(line.lineFeed);
  }
  appendSeparator(document, value.slice(text.length), lineFeeds, text);
  const built = text.build();
  return built.text === value ? built : unmapped(value);
}

/** Between two lines stand line feeds, or the one space that a fold leaves. A line that begins with white space is never folded. */
function separatorAt(value: string, at: number, next: string): string {
  let end = at;
  while (value[end] === '\n') end++;
  if (end === at && at > 0 && value[at] === ' ' && next !== ' ' && next !== '\t') end++;
  return value.slice(at, end);
}

/** The line feeds that survive are the last ones of the gap; the folded one is the first. */
function appendSeparator(document: string, separator: string, lineFeeds: readonly number[], text: MappedTextBuilder): void {
  if (!/^\n*$/u.test(separator) || separator.length > lineFeeds.length) {
    text.append(unmapped(separator));
    return;
  }
  for (const lineFeed of lineFeeds.slice(lineFeeds.length - separator.length))
    text.append(verbatim(document, lineFeed, lineFeed + 1));
}

function linesOf(document: string, start: number, end: number): SourceLine[] {
  const lines: SourceLine[] = [];
  for (let at = start; at < end; ) {
    const found = document.indexOf('\n', at);
    const lineFeed = found >= 0 && found < end ? found : -1;
    const stop = lineFeed < 0 ? end : lineFeed;
    lines.push({ start: at, end: stop > at && document[stop - 1] === '\r' ? stop - 1 : stop, lineFeed });
    at = stop + 1;
  }
  return lines;
}

/** What the parser took off: the first line with text has that many spaces more than the first line with text of the value. */
function indentationOf(document: string, lines: readonly SourceLine[], value: string): number {
  const first = lines.find((line) => document.slice(line.start, line.end).trim() !== '');
  if (first === undefined) return lines.reduce((most, line) => Math.max(most, line.end - line.start), 0);
  const kept = /(?:^|\n)( *)[^ \n]/u.exec(value)?.[1]?.length ?? 0;
  return Math.max(0, leadingSpaces(document, first) - kept);
}

function leadingSpaces(document: string, line: SourceLine): number {
  let at = line.start;
  while (at < line.end && document[at] === ' ') at++;
  return at - line.start;
}
