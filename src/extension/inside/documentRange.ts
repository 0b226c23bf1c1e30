import type { SourceSegment, TextRange } from '../../shared/tokens.ts';

/**
 * Where a range of the prompt's text stands in the document, or null when it does not stand there verbatim in one piece (the chat
 * template wrote it, or a variable was filled in).
 */
export function documentRange(sourceMap: readonly SourceSegment[], { start, end }: TextRange): TextRange | null {
  const segment = sourceMap.find((each) => each.start <= start && end <= each.end);
  if (segment === undefined) return null;
  const shift = segment.documentStart - segment.start;
  return { start: start + shift, end: end + shift };
}
