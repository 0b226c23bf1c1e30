/**
 * Token text as it may be shown: nothing invisible, nothing that moves other text about.
 * A prompt can hold any character, and hidden ones are what a prompt author must see.
 */

const space = '\u2423';
const newline = '\u21b5';
const tab = '\u21e5';

/** Direction marks, overrides and isolates; they would reorder the text around them. */
const direction = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** Takes no room on screen: soft hyphen, zero-width space, word joiner, byte-order mark, line and paragraph separators, tags. */
const invisible = /[\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]/;

/** Text that keeps its line breaks, tabs and spaces; every other control or invisible character becomes a visible one. */
export function visibleText(text: string): string {
  let shown = '';
  for (const character of text) {
    shown += character === '\n' || character === '\t' ? character : visibleCharacter(character);
  }
  return shown.replaceAll(`${pictureOf(13)}\n`, '\n');
}

/** A short label on one line: white space is drawn too, so that `' Paris'` and `'Paris'` differ at a glance. */
export function visibleLabel(text: string): string {
  let shown = '';
  for (const character of text) {
    if (character === '\n') shown += newline;
    else if (character === '\t') shown += tab;
    else shown += visibleCharacter(character);
  }
  return shown.replace(/^ +| +$| {2,}/g, (run) => space.repeat(run.length));
}

/** A label in quotes, cut after `limit` characters. */
export function quotedLabel(text: string, limit = 40): string {
  const characters = [...visibleLabel(text)];
  const shown = characters.length > limit ? `${characters.slice(0, limit).join('')}…` : characters.join('');
  return `‘${shown}’`;
}

function visibleCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return pictureOf(code);
  if (code === 0x7f) return '\u2421';
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  if (
    (code >= 0x80 && code <= 0x9f) ||
    direction.test(character) ||
    invisible.test(character) ||
    (code >= 0xe0000 && code <= 0xe007f)
  ) {
    return `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  }
  return character;
}

function pictureOf(code: number): string {
  return String.fromCharCode(0x2400 + code);
}
