/**
 * Classes of characters as the native package sees them. Some of its tables are of older Unicode versions than JavaScript's,
 * and JavaScript's change with the runtime; ids must not, so those classes are spelled out in `characterTables.ts`.
 */
import { controlCharacters, marks, nonspacingMarks, punctuation, undecomposed } from './characterTables.ts';

/** White_Space, which unlike `\s` holds U+0085 and not U+FEFF. */
export const whitespace = /\p{White_Space}/u;
export const numeric = /\p{N}/u;
export const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

export const isControl = membership(controlCharacters);
export const isMark = membership(marks);
export const isNonspacingMark = membership(nonspacingMarks);
export const isPunctuation = membership(punctuation);
/** Characters that have a decomposition now and had none when the native package's tables were made. */
export const isUndecomposed = membership(undecomposed);

/** `table`: code points and ranges of them in hexadecimal, ascending, divided by spaces. */
function membership(table: string): (character: string) => boolean {
  const ranges = table.split(' ').map((range) => range.split('-').map((code) => parseInt(code, 16)));
  const pattern = new RegExp(
    `^[${ranges.map((range) => range.map((code) => `\\u{${code.toString(16)}}`).join('-')).join('')}]$`,
    'u',
  );
  return (character) => pattern.test(character);
}
