/** `{{name}}` in a message: the value takes its place and becomes a section. A value is never searched for variables itself. */
import { promptTooLong, variableMissing } from '../shared/errorCatalog.ts';
import type { Section } from '../shared/tokens.ts';
import { MappedTextBuilder, sliceMapped, type MappedText } from './mappedText.ts';

/** Two braces, a name of letters, digits, `_`, `-` and `.`, two braces; everything else stays as it is written. */
const pattern = /\{\{[ \t]*([\p{L}_][\p{L}\p{N}_.-]*)[ \t]*\}\}/gu;

/** UTF-16 units of a rendered prompt; no context holds more, and a small document can ask for gigabytes. */
export const promptLimit = 4_000_000;

function variableNames(text: string): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

/** Where variables stand in a text whose values are not known: sections over the braces. */
export function variableSections(text: string): Section[] {
  return [...text.matchAll(pattern)].map((match) => ({
    kind: 'variable',
    label: match[1] as string,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** @throws E_VARIABLE_MISSING when the texts ask for a name that has no value; `details.names` lists all of them */
export function requireVariables(texts: readonly string[], values: ReadonlyMap<string, MappedText>): void {
  const missing = [...new Set(texts.flatMap(variableNames))].filter((name) => !values.has(name));
  if (missing.length > 0) throw variableMissing(missing);
}

/** Names without a value stay as they are written. @throws E_PROMPT_TOO_LONG */
export function substitute(
  source: MappedText,
  values: ReadonlyMap<string, MappedText>,
): { readonly content: MappedText; readonly variables: Section[] } {
  const content = new MappedTextBuilder();
  const variables: Section[] = [];
  let at = 0;
  for (const match of source.text.matchAll(pattern)) {
    const name = match[1] as string;
    const value = values.get(name);
    content.append(sliceMapped(source, at, match.index));
    at = match.index;
    if (value === undefined) continue;
    if (content.length + value.text.length > promptLimit) throw promptTooLong(promptLimit);
    const range = content.append(value);
    if (range.start < range.end) variables.push({ kind: 'variable', label: name, ...range });
    at += match[0].length;
  }
  content.append(sliceMapped(source, at, source.text.length));
  return { content: content.build(), variables };
}
