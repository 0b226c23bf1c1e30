import { isControl, isNonspacingMark, whitespace } from '../characters.ts';
import { mapCharacters } from '../placedText.ts';
import type { PlacedText } from '../placedText.ts';
import type { NormaliserConfiguration } from '../tokenizerFile.ts';
import { normaliseForm } from './unicodeForms.ts';

/** Ideographs that BERT puts spaces around, as the native package lists them (its gap before U+2B920 included). */
const ideographs: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
];

/** BERT's normaliser: control characters dropped, every space made ' ', ideographs set apart, accents stripped, lower case. */
export function bertNormalise(
  placed: PlacedText,
  options: Extract<NormaliserConfiguration, { type: 'BertNormalizer' }>,
): PlacedText {
  const stripAccents = options.strip_accents ?? options.lowercase;
  let result = placed;
  if (options.clean_text) result = mapCharacters(result, cleaned);
  if (options.handle_chinese_chars)
    result = mapCharacters(result, (character) => (isIdeograph(character) ? ` ${character} ` : character));
  if (stripAccents) result = stripNonspacing(normaliseForm(result, 'NFD'));
  return options.lowercase ? lowercase(result) : result;
}

function cleaned(character: string): string {
  if (character === '\t' || character === '\n' || character === '\r') return ' ';
  if (character === '\0' || character === '\uFFFD' || isControl(character)) return '';
  return whitespace.test(character) ? ' ' : character;
}

function isIdeograph(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x3400 && ideographs.some(([first, last]) => code >= first && code <= last);
}

function stripNonspacing(placed: PlacedText): PlacedText {
  return mapCharacters(placed, (character) => (isNonspacingMark(character) ? '' : character));
}

/** Character by character: unlike `String.toLowerCase`, the native package has no rule for a sigma at the end of a word. */
export function lowercase(placed: PlacedText): PlacedText {
  return mapCharacters(placed, (character) => character.toLowerCase());
}
