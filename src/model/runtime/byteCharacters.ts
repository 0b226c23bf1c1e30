/**
 * GPT-2's printable spelling of bytes: those that print stand for themselves (as Latin-1), the other 68 are
 * U+0100, U+0101, … in ascending order (Radford et al. 2019, `bytes_to_unicode` of the released code).
 */
const spellings: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(prints ? byte : next++);
  });
})();

const bytes: ReadonlyMap<string, number> = new Map(spellings.map((spelling, byte) => [spelling, byte]));
const encoder = new TextEncoder();

/** The bytes of a character, each as the one code unit that spells it. */
export function byteCharacters(character: string): string {
  let spelled = '';
  for (const byte of encoder.encode(character)) spelled += spellings[byte] ?? '';
  return spelled;
}

/** The byte that a character of a byte-level token spells; undefined for characters that spell none. */
export function byteOf(character: string): number | undefined {
  return bytes.get(character);
}
