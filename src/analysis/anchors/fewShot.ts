/** The parts of a few-shot prompt: examples with their labels, what stands before each label, and the question at the end. */
import { toolParameter, toolPrompt } from '../../shared/toolErrors.ts';
import type { TextRange, Token } from '../../shared/tokens.ts';
import type { ToolPrompt } from '../tools/tool.ts';

export const labelAnchorsId = 'label-anchors';

interface LabelledExample extends TextRange {
  /** What stands before every label, as it stands here. */
  readonly prefix: TextRange;
  readonly label: TextRange;
  readonly labelText: string;
}

export interface FewShot {
  /** "Sentiment:" */
  readonly prefix: string;
  readonly examples: readonly LabelledExample[];
  /** Distinct labels, in the order they occur. */
  readonly classes: readonly string[];
  /** What the question asks about, without the words around it. */
  readonly question: TextRange;
  /** Whether the prompt ends with the prefix, so that the next token is the label. */
  readonly isOpen: boolean;
}

/**
 * @param asked labels: only these count; prefix: what stands before each label. Without them the prefix is the last line of the prompt
 * (or the sign it ends with), or else the last labelled line of the sections recognised as examples.
 * @throws E_TOOL_PROMPT, E_TOOL_PARAMETER
 */
export function findFewShot(prompt: ToolPrompt, asked: { readonly labels: readonly string[]; readonly prefix: string }): FewShot {
  const end = authoredEnd(prompt);
  const text = prompt.text.slice(0, end);
  const prefix = asked.prefix.trim() === '' ? guessPrefix(text, prompt) : asked.prefix.trim();
  if (prefix === null) {
    throw toolPrompt(
      labelAnchorsId,
      'no examples with labels were recognised in it',
      'end the prompt with what stands before each label ("Sentiment:"), or name it with --prefix',
    );
  }
  if (!text.includes(prefix)) throw refusePrefix('it does not occur in the prompt');
  const wanted = asked.labels.map((label) => label.toLowerCase());
  const examples: LabelledExample[] = [];
  let start = 0;
  for (const found of occurrences(text, prefix)) {
    const rest = /^[^\S\r\n]*([^\r\n]*?)[^\S\r\n]*(?=[\r\n]|$)/u.exec(text.slice(found.end));
    const labelText = rest?.[1] ?? '';
    if (labelText === '' || (wanted.length > 0 && !wanted.includes(labelText.toLowerCase()))) continue;
    const labelStart = found.end + (/^[^\S\r\n]*/u.exec(text.slice(found.end))?.[0].length ?? 0);
    const label = { start: labelStart, end: labelStart + labelText.length };
    examples.push({
      start: exampleStart(text, start, found.start, examples.length === 0),
      end: label.end,
      prefix: found,
      label,
      labelText,
    });
    start = label.end;
  }
  const missing = asked.labels.find(
    (label) => !examples.some(({ labelText }) => labelText.toLowerCase() === label.toLowerCase()),
  );
  if (missing !== undefined) {
    const why = `the label ${JSON.stringify(missing)} never stands behind ${JSON.stringify(prefix)}`;
    throw toolParameter(labelAnchorsId, 'labels', why, 'give labels that occur, separated by commas, or none');
  }
  if (examples.length === 0) throw refusePrefix(`no label stands behind ${JSON.stringify(prefix)}`);
  const isOpen = text.trimEnd().endsWith(prefix) && end === prompt.text.length;
  const last = examples.at(-1)?.end ?? 0;
  return {
    prefix,
    examples,
    classes: [...new Set(examples.map(({ labelText }) => labelText))],
    question: questionRange(text, last, prefix),
    isOpen,
  };
}

const refusePrefix = (why: string) =>
  toolParameter(labelAnchorsId, 'prefix', why, 'give the text that stands before each label in the examples');

/** Where the author's text ends: behind it the chat template may go on. */
function authoredEnd({ text, templateRanges }: ToolPrompt): number {
  const trailing = templateRanges.find(({ end }) => end === text.length);
  return trailing === undefined ? text.length : trailing.start;
}

function guessPrefix(text: string, { sections }: ToolPrompt): string | null {
  const lastLine =
    text
      .trimEnd()
      .split(/[\r\n]/u)
      .at(-1)
      ?.trim() ?? '';
  const sign = /(?:[:：]|->|=>|→|⇒)$/u.exec(lastLine)?.[0];
  if (/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,30}[:：]$/u.test(lastLine) && occurrences(text, lastLine).length > 1) return lastLine;
  if (sign !== undefined && occurrences(text, sign).length > 1) return sign;
  const example = sections.find(({ kind }) => kind === 'example');
  if (example === undefined) return null;
  return (
    [...text.slice(example.start, example.end).matchAll(/^[ \t]*([\p{L}\p{N}][\p{L}\p{N} _-]{0,30}[:：])/gmu)].at(-1)?.[1] ?? null
  );
}

function occurrences(text: string, part: string): TextRange[] {
  const found: TextRange[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length))
    found.push({ start: at, end: at + part.length });
  return found;
}

/** The first example begins with its paragraph, the others behind the label before. */
function exampleStart(text: string, from: number, prefixStart: number, isFirst: boolean): number {
  const between = text.slice(from, prefixStart);
  const paragraph = isFirst
    ? Math.max(
        0,
        ...[...between.matchAll(/(?:\r\n|\r|\n)[^\S\r\n]*(?:\r\n|\r|\n)/gu)].map((match) => match.index + match[0].length),
      )
    : 0;
  const start = from + paragraph;
  return start + (/^\s*/u.exec(text.slice(start, prefixStart))?.[0].length ?? 0);
}

/** Behind the last example, without a label of its own ("Review:") in front and without the prefix. */
function questionRange(text: string, from: number, prefix: string): TextRange {
  let end = text.trimEnd().length;
  if (text.slice(from, end).endsWith(prefix)) end -= prefix.length;
  const whole = text.slice(from, end);
  const lead = /^\s*(?:[\p{L}\p{N}][\p{L}\p{N} _-]{0,30}[:：])?\s*/u.exec(whole)?.[0].length ?? 0;
  const start = Math.min(from + lead, end);
  return { start, end: start + text.slice(start, end).trimEnd().length };
}

/** Indices of the tokens that hold a part of a range. */
export function tokensIn(tokens: readonly Token[], { start, end }: TextRange): number[] {
  return tokens.flatMap((token, index) => (token.end > start && token.start < end ? [index] : []));
}
