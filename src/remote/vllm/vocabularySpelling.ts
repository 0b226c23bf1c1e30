/** The bytes that tokens stand for, from how their vocabulary spells them: `Ġthe` and `▁the` are both ` the`. */
import { byteOf } from '../../model/runtime/byteCharacters.ts';

export type Spelling = 'byte-level' | 'sentencepiece';

/** A text whose spaces, accents, line break and character of four bytes are spelled differently by each kind of vocabulary. */
export const spellingProbe = 'a é\n🙂';

const encoder = new TextEncoder();

/** Which kind spelled {@link spellingProbe} so; null for one that is not known here. The bytes must be those of the text. */
export function spellingOf(probed: readonly string[]): Spelling | null {
  const wanted = Buffer.from(spellingProbe, 'utf8').toString('hex');
  for (const spelling of ['byte-level', 'sentencepiece'] as const) {
    const bytes = Buffer.concat(probed.map((token) => spelledBytes(token, spelling)));
    // SentencePiece may put a space before a text.
    const found = spelling === 'sentencepiece' && bytes[0] === 0x20 ? bytes.subarray(1) : bytes;
    if (found.toString('hex') === wanted) return spelling;
  }
  return null;
}

/** A character that spells no byte stands for itself, as in the names of control tokens. */
export function spelledBytes(token: string, spelling: Spelling): Uint8Array {
  if (spelling === 'sentencepiece') {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
    return byte === undefined ? encoder.encode(token.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(byte, 16));
  }
  return Buffer.concat(
    Array.from(token, (character) => {
      const byte = byteOf(character);
      return byte === undefined ? encoder.encode(character) : Uint8Array.of(byte);
    }),
  );
}
