/**
 * Makes text safe and readable on a terminal. Prompts, tokens and file names are hostile: an escape sequence in one
 * of them could retitle the window, move the cursor or fake output. Every control character becomes a visible sign.
 */

// C0, DEL, C1, soft hyphen, bidirectional controls, zero-width and other default-ignorable signs, line and paragraph
// separators, interlinear annotation, lone surrogates, tag characters. U+200D stays: it joins emoji.
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\u{e0000}-\u{e0fff}]/gu;

/** One line: line breaks and tabs become signs too. */
export function visibleText(text: string): string {
  return text.replace(hidden, sign);
}

/** Line feeds stay (CRLF counts as one), tabs become four spaces; everything else as {@link visibleText}. */
export function visibleLines(text: string): string {
  return text.replace(/\r\n/g, '\n').replaceAll('\t', '    ').split('\n').map(visibleText).join('\n');
}

function sign(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a) return '⏎';
  if (code === 0x09) return '⇥';
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}
