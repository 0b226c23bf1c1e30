import type { TextRange } from '../../shared/tokens.ts';
import { spellText, unitRange } from '../../model/runtime/spelledText.ts';
import type { SpelledText } from '../../model/runtime/spelledText.ts';
import { tokenAttribute } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface ByteAlignmentOptions {
  /** Spaces are spelled ▁ (SentencePiece). */
  readonly escapeSpaces: boolean;
  /** The tokeniser puts ▁ before the text and after each special token. */
  readonly spacePrefix: boolean;
  /** Control tokens written in the text were recognised. */
  readonly parseSpecial: boolean;
}

const encoder = new TextEncoder();
const escapedSpace = encoder.encode('▁');

/**
 * Ranges of tokens whose spellings, one after another, are the text's own bytes: byte-level BPE and SentencePiece with
 * byte fallback. Returns null when they are not (then some normalisation took place).
 */
export function alignBytes(
  text: string,
  ids: Int32Array,
  vocabulary: Vocabulary,
  options: ByteAlignmentOptions,
): TextRange[] | null {
  const spelled = spellText(text, options.escapeSpaces);
  const ranges: TextRange[] = [];
  let position = 0;
  /** Bytes of the inserted ▁ that no token has taken yet. */
  let inserted = options.spacePrefix ? escapedSpace.length : 0;
  for (const id of ids) {
    const spelling = tokenSpelling(vocabulary, id, options.escapeSpaces);
    const separated = isSeparated(vocabulary, id, options.parseSpecial);
    if (separated) {
      inserted = 0;
      if (vocabulary.is(id, tokenAttribute.leftStrip)) position = skipSpaces(spelled, position, options.escapeSpaces);
    }
    const prefix = Math.min(inserted, spelling.length);
    const taken = spelling.length - prefix;
    if (!matches(spelling, 0, prefix, escapedSpace, escapedSpace.length - inserted)) return null;
    if (!matches(spelling, prefix, taken, spelled.bytes, position)) {
      position = skipMissing(spelled, position, vocabulary);
      if (!matches(spelling, prefix, taken, spelled.bytes, position)) return null;
    }
    ranges.push(unitRange(spelled, position, position + taken));
    position += taken;
    inserted -= prefix;
    if (separated) {
      if (vocabulary.is(id, tokenAttribute.rightStrip)) position = skipSpaces(spelled, position, options.escapeSpaces);
      inserted = options.spacePrefix ? escapedSpace.length : 0;
    }
  }
  if (position < spelled.bytes.length) position = skipMissing(spelled, position, vocabulary);
  return position === spelled.bytes.length ? ranges : null;
}

/** True for tokens that llama.cpp cuts out of the text before it tokenises what lies between. */
function isSeparated(vocabulary: Vocabulary, id: number, parseSpecial: boolean): boolean {
  const special = tokenAttribute.control | tokenAttribute.unknown;
  return vocabulary.is(id, tokenAttribute.userDefined | (parseSpecial ? special : 0));
}

function tokenSpelling(vocabulary: Vocabulary, id: number, escapeSpaces: boolean): Uint8Array {
  if (!escapeSpaces || vocabulary.is(id, tokenAttribute.byte)) return vocabulary.piece(id);
  return encoder.encode(vocabulary.text(id).replaceAll(' ', '▁'));
}

function matches(a: Uint8Array, aStart: number, length: number, b: Uint8Array, bStart: number): boolean {
  if (bStart + length > b.length) return false;
  for (let index = 0; index < length; index++) if (a[aStart + index] !== b[bStart + index]) return false;
  return true;
}

/** Bytes that the vocabulary cannot spell have no token. */
function skipMissing(text: SpelledText, from: number, vocabulary: Vocabulary): number {
  const missing = vocabulary.missingBytes();
  let position = from;
  while (position < text.bytes.length && missing.has(text.bytes[position] ?? -1)) position++;
  return position;
}

/** Whitespace beside a token with a strip attribute (`<|assistant|>` of Phi-3) belongs to no token. */
function skipSpaces(text: SpelledText, from: number, escapeSpaces: boolean): number {
  let position = from;
  for (;;) {
    const byte = text.bytes[position] ?? 0;
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) position++;
    else if (escapeSpaces && matches(escapedSpace, 0, escapedSpace.length, text.bytes, position)) position += escapedSpace.length;
    else return position;
  }
}
