import { promptBinary, promptBlank, promptEmpty, promptInvalid, promptTooLong } from '../shared/errorCatalog.ts';
import { promptLimit } from './variables.ts';

/** Control characters that text files do not hold. Tab, line feed, form feed, carriage return and escape (terminal logs) may stand. */
const control = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/u;

/** What a model wrote, as part of another prompt: a replacement character stands for each control character no prompt may hold. */
export function withoutControls(text: string): string {
  return text.replace(new RegExp(control, 'gu'), '\ufffd');
}

/**
 * What every prompt, and every document that holds one, must be.
 * @throws E_PROMPT_EMPTY, E_PROMPT_BLANK, E_PROMPT_BINARY, E_PROMPT_INVALID, E_PROMPT_TOO_LONG
 */
export function checkPromptText(text: string): void {
  if (text.length === 0) throw promptEmpty();
  if (text.length > promptLimit) throw promptTooLong(promptLimit);
  const controlAt = text.search(control);
  if (controlAt >= 0) throw promptBinary(controlAt);
  const loneAt = text.search(/\p{Surrogate}/u);
  if (loneAt >= 0) throw promptInvalid(loneAt);
  // A byte-order mark and other invisible characters are not words either.
  if (/^[\s\p{Cf}]*$/u.test(text)) throw promptBlank();
}
