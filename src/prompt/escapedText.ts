/**
 * Quoted and plain scalars, read character by character so that each decoded character keeps its place.
 * The value that the parser gave is the judge: a text that reads otherwise here gets no map, never a wrong one.
 */
import { MappedTextBuilder, unmapped, verbatim, type MappedText } from './mappedText.ts';

const jsonEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
};
const yamlEscapes: Readonly<Record<string, string>> = {
  ...jsonEscapes,
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  v: '\v',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
  ' ': ' ',
  '\t': '\t',
};
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** A JSON string whose quotes stand at `start` and `end - 1`. */
export function readJsonString(document: string, start: number, end: number, value: string): MappedText {
  const text = new MappedTextBuilder();
  for (let at = start + 1; at < end - 1; ) {
    at =
      document[at] === '\\' ? appendEscape(document, at, jsonEscapes, text) : appendRun(document, at, end - 1, /[^\\]+/uy, text);
  }
  return confirmed(text, value);
}

export type FlowStyle = 'plain' | 'single' | 'double';

/** A YAML plain or quoted scalar in [start, end), quotes included. Line breaks fold as YAML 1.2, §6.5, says. */
export function readYamlFlowScalar(document: string, start: number, end: number, style: FlowStyle, value: string): MappedText {
  const text = new MappedTextBuilder();
  const quote = style === 'plain' ? 0 : 1;
  const stop = end - quote;
  for (let at = start + quote; at < stop; ) {
    const fold = matchAt(document, at, /[ \t]*(?:\r?\n[ \t]*)+/uy);
    if (fold !== null && at + fold.length <= stop) {
      appendFold(document, at, fold, text);
      at += fold.length;
    } else if (style === 'double' && document[at] === '\\') {
      const continued = matchAt(document, at, /\\\r?\n[ \t]*/uy);
      at = continued === null ? appendEscape(document, at, yamlEscapes, text) : at + continued.length;
    } else if (style === 'single' && document.startsWith("''", at)) {
      text.append(verbatim(document, at + 1, at + 2));
      at += 2;
    } else {
      at = appendRun(document, at, stop, style === 'double' ? /[ \t]+|[^\\ \t\r\n]+/uy : /[ \t]+|[^' \t\r\n]+/uy, text);
    }
  }
  return confirmed(text, value);
}

/** One line break folds to a space; of several, all but the first stay. */
function appendFold(document: string, at: number, fold: string, text: MappedTextBuilder): void {
  const breaks = [...fold.matchAll(/\n/gu)].map((match) => at + match.index);
  if (breaks.length === 1) text.append(unmapped(' '));
  else for (const lineFeed of breaks.slice(1)) text.append(verbatim(document, lineFeed, lineFeed + 1));
}

function appendRun(document: string, at: number, stop: number, run: RegExp, text: MappedTextBuilder): number {
  const end = Math.min(stop, at + Math.max(1, matchAt(document, at, run)?.length ?? 1));
  text.append(verbatim(document, at, end));
  return end;
}

/** An escape that stands for itself (`\"`) maps to its second character; the others stand nowhere verbatim. */
function appendEscape(document: string, at: number, escapes: Readonly<Record<string, string>>, text: MappedTextBuilder): number {
  const letter = document[at + 1] ?? '';
  const digits = hexDigits[letter];
  if (digits !== undefined) {
    const code = Number.parseInt(document.slice(at + 2, at + 2 + digits), 16);
    if (code <= 0x10ffff) text.append(unmapped(digits === 4 ? String.fromCharCode(code) : String.fromCodePoint(code)));
    return at + 2 + digits;
  }
  const character = escapes[letter];
  if (character === letter) text.append(verbatim(document, at + 1, at + 2));
  else if (character !== undefined) text.append(unmapped(character));
  return at + 2;
}

function matchAt(document: string, at: number, pattern: RegExp): string | null {
  pattern.lastIndex = at;
  return pattern.exec(document)?.[0] ?? null;
}

function confirmed(text: MappedTextBuilder, value: string): MappedText {
  const built = text.build();
  return built.text === value ? built : unmapped(value);
}
