import { type Alignment, fillUnmatched } from '../model/runtime/alignment.ts';
import { type SpelledText, spellText, unitRange } from '../model/runtime/spelledText.ts';
import type { TextRange } from '../shared/tokens.ts';

const space = 0x20;
/** How far behind an unmatched token the next one is looked for. */
const furthestBytes = 64;

/**
 * Where each token stands in the text, from the bytes it stands for. What the tokeniser may do beside is known: put a space before the
 * text or behind a special token (SentencePiece), and drop whitespace beside one. Several tokens may share a character. A token that
 * fits nowhere gets all the text between its neighbours, and the alignment is not exact.
 * @param pieces bytes of each token, in the order of the text
 */
export function alignPieces(text: string, pieces: readonly Uint8Array[]): Alignment {
  const spelled = spellText(text, false);
  const ranges: (TextRange | null)[] = [];
  let position = 0;
  let isLost = false;
  for (const piece of pieces) {
    const found = find(spelled, position, piece, isLost ? furthestBytes : 0);
    isLost = found === null;
    ranges.push(found === null ? null : unitRange(spelled, found.from, found.to));
    position = found?.to ?? position;
  }
  const { ranges: filled, exact } = fillUnmatched(ranges, text.length);
  return { ranges: filled, exact: exact && afterSpaces(spelled, position) === spelled.bytes.length };
}

interface Place {
  readonly from: number;
  readonly to: number;
}

function find(text: SpelledText, position: number, piece: Uint8Array, reach: number): Place | null {
  if (piece.length === 0) return { from: position, to: position };
  for (let skipped = 0; skipped <= reach; skipped++) {
    const from = position + skipped;
    if (matches(text, from, piece, 0)) return { from, to: from + piece.length };
  }
  // A space that the tokeniser put there itself.
  if (piece[0] === space && matches(text, position, piece, 1)) return { from: position, to: position + piece.length - 1 };
  const from = afterSpaces(text, position);
  return from > position && matches(text, from, piece, 0) ? { from, to: from + piece.length } : null;
}

function matches({ bytes }: SpelledText, position: number, piece: Uint8Array, start: number): boolean {
  if (position + piece.length - start > bytes.length) return false;
  for (let index = start; index < piece.length; index++) if (bytes[position + index - start] !== piece[index]) return false;
  return true;
}

function afterSpaces({ bytes }: SpelledText, from: number): number {
  let position = from;
  for (;;) {
    const byte = bytes[position] ?? 0;
    if (byte !== space && !(byte >= 0x09 && byte <= 0x0d)) return position;
    position++;
  }
}
