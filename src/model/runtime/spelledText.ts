/**
 * A prompt as bytes, each with the UTF-16 range of the character it belongs to.
 * With escaped spaces every space is spelled ▁ (U+2581), as SentencePiece vocabularies do.
 */
export interface SpelledText {
  readonly bytes: Uint8Array;
  /** [bytes]: first code unit of the byte's character. */
  readonly starts: Int32Array;
  /** [bytes]: code unit after the byte's character. */
  readonly ends: Int32Array;
  /** Length of the text in code units. */
  readonly length: number;
}

const encoder = new TextEncoder();

/** `text` must hold no lone surrogates. */
export function spellText(text: string, escapeSpaces: boolean): SpelledText {
  const bytes = encoder.encode(escapeSpaces ? text.replaceAll(' ', '▁') : text);
  const starts = new Int32Array(bytes.length);
  const ends = new Int32Array(bytes.length);
  // A space and ▁ are both one code unit, so units can be counted on the spelled bytes.
  let unit = 0;
  for (let position = 0; position < bytes.length; ) {
    const first = bytes[position] ?? 0;
    const byteCount = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const unitCount = byteCount === 4 ? 2 : 1;
    starts.fill(unit, position, position + byteCount);
    ends.fill(unit + unitCount, position, position + byteCount);
    position += byteCount;
    unit += unitCount;
  }
  return { bytes, starts, ends, length: unit };
}

/** The code units `[start, end)` of the characters that bytes `[from, to)` belong to; empty when `from === to`. */
export function unitRange(text: SpelledText, from: number, to: number): { readonly start: number; readonly end: number } {
  const start = text.starts[from] ?? text.length;
  return { start, end: to > from ? (text.ends[to - 1] ?? text.length) : start };
}
