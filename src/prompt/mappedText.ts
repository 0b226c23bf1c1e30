/** Text that remembers which of its characters stand verbatim in the document. */
import type { SourceSegment, TextRange } from '../shared/tokens.ts';

export interface MappedText {
  readonly text: string;
  /** Ascending, disjoint, none empty. */
  readonly segments: readonly SourceSegment[];
}

/** A part of the document as it stands. */
export function verbatim(document: string, start: number, end: number): MappedText {
  return {
    text: document.slice(start, end),
    segments: start < end ? [{ start: 0, end: end - start, documentStart: start }] : [],
  };
}

/** Text that stands nowhere in the document. */
export function unmapped(text: string): MappedText {
  return { text, segments: [] };
}

/** The part [start, end) of a mapped text. */
export function sliceMapped(source: MappedText, start: number, end: number): MappedText {
  const segments: SourceSegment[] = [];
  for (const segment of source.segments) {
    const from = Math.max(segment.start, start);
    const to = Math.min(segment.end, end);
    if (from >= to) continue;
    segments.push({ start: from - start, end: to - start, documentStart: segment.documentStart + from - segment.start });
  }
  return { text: source.text.slice(start, end), segments };
}

/** Builds a mapped text from its beginning to its end; runs that touch in both places become one. */
export class MappedTextBuilder {
  private readonly parts: string[] = [];
  private readonly segments: SourceSegment[] = [];
  private size = 0;

  get length(): number {
    return this.size;
  }

  append(part: MappedText): TextRange {
    const start = this.size;
    for (const segment of part.segments) {
      this.addSegment(start + segment.start, start + segment.end, segment.documentStart);
    }
    this.parts.push(part.text);
    this.size += part.text.length;
    return { start, end: this.size };
  }

  build(): MappedText {
    return { text: this.parts.join(''), segments: this.segments };
  }

  private addSegment(start: number, end: number, documentStart: number): void {
    const last = this.segments.at(-1);
    if (last !== undefined && last.end === start && last.documentStart + last.end - last.start === documentStart) {
      this.segments[this.segments.length - 1] = { ...last, end };
    } else {
      this.segments.push({ start, end, documentStart });
    }
  }
}
