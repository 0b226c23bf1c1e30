import { tokenizerUnsupported } from '../../../shared/modelFolderErrors.ts';
import { PlacedTextBuilder, rangeOf } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';

/**
 * SentencePiece's compiled normalisation rules (T5, XLM-R, …): a double-array trie over UTF-8 bytes (Aoe 1989, as the
 * Darts-clone library lays it out) whose values are places in a block of zero-terminated replacements.
 */
interface Charsmap {
  readonly trie: Uint32Array;
  readonly replacements: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Longer graphemes are looked up character by character. */
const maximumGraphemeBytes = 5;

/** @throws E_TOKENIZER_UNSUPPORTED when the map's sizes do not fit */
export function createPrecompiledNormaliser(base64: string): (placed: PlacedText) => PlacedText {
  const map = readCharsmap(Buffer.from(base64, 'base64'));
  const known = new Map<string, string | null>();
  const replacementOf = (part: string): string | null => {
    let found = known.get(part);
    if (found === undefined) {
      found = lookUp(map, encoder.encode(part));
      if (known.size < 10_000) known.set(part, found);
    }
    return found;
  };
  return (placed) => normalise(placed, replacementOf);
}

function normalise(placed: PlacedText, replacementOf: (part: string) => string | null): PlacedText {
  const builder = new PlacedTextBuilder(placed);
  for (const { segment, index } of graphemes.segment(placed.text)) {
    const whole = encoder.encode(segment).length <= maximumGraphemeBytes ? replacementOf(segment) : null;
    if (whole !== null) {
      builder.push(whole, rangeOf(placed, index, index + segment.length));
      continue;
    }
    let from = index;
    for (const character of segment) {
      const to = from + character.length;
      const made = replacementOf(character);
      if (made === null) builder.copy(placed, from, to);
      else builder.push(made, rangeOf(placed, from, to));
      from = to;
    }
  }
  return builder.build();
}

function readCharsmap(bytes: Buffer): Charsmap {
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw tokenizerUnsupported('its precompiled normalisation table is damaged');
  }
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, unit) => bytes.readUInt32LE(4 + 4 * unit));
  return { trie, replacements: bytes.subarray(4 + trieBytes) };
}

/** What the shortest entry that begins `key` is replaced by, or null. The native package, too, takes the shortest. */
function lookUp({ trie, replacements }: Charsmap, key: Uint8Array): string | null {
  let unit = trie[0] ?? 0;
  let node = offsetOf(unit);
  for (const byte of key) {
    if (byte === 0) return null;
    node ^= byte;
    unit = trie[node] ?? 0;
    if ((unit & 0x800000ff) !== byte) return null;
    node ^= offsetOf(unit);
    if (((unit >>> 8) & 1) === 1) {
      const start = (trie[node] ?? 0) & 0x7fffffff;
      const end = replacements.indexOf(0, start);
      return decoder.decode(replacements.subarray(start, end < 0 ? replacements.length : end));
    }
  }
  return null;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
