/** Sections of plain text: paragraphs between blank lines, told apart as passages, few-shot examples or plain paragraphs. */
import type { Section, TextRange } from '../shared/tokens.ts';

const passage = /^(?:\[\d+\]|\(\d+\)|(?:passage|document|source|context|chunk|excerpt)[ \t]*#?\d+[ \t]*[:.)\-–—])/iu;
const labelledLine = /^[ \t]*([\p{L}][\p{L}\p{N} _-]{0,30}?)[ \t]*[:：][ \t]*(.*)$/gmu;

export function textSections(text: string): Section[] {
  const blocks: TextRange[] = [];
  for (const match of text.matchAll(/\S[^\r\n]*(?:(?:\r\n|\r|\n)[^\S\r\n]*\S[^\r\n]*)*/gu)) {
    blocks.push({ start: match.index, end: match.index + match[0].trimEnd().length });
  }
  return nameParagraphs(text, blocks);
}

/**
 * - A paragraph that begins with `[1]`, `(1)`, `Passage 1:`, `Document 1:` … is a retrieved passage.
 * - Two or more paragraphs with the same two or more `Label:` lines are few-shot examples, but for one whose last label is left
 *   open at the end of the text: that is the question.
 */
export function nameParagraphs(text: string, paragraphs: readonly TextRange[]): Section[] {
  const signatures = paragraphs.map(({ start, end }) => labelsOf(text.slice(start, end)));
  const uses = new Map<string, number>();
  for (const { labels } of signatures) uses.set(labels, (uses.get(labels) ?? 0) + 1);
  let examples = 0;
  return paragraphs.map(({ start, end }, index): Section => {
    const { labels, open } = signatures[index] ?? { labels: '', open: false };
    const paragraph = text.slice(start, end);
    if (passage.test(paragraph)) return { kind: 'passage', label: snippet(paragraph), start, end };
    const asks = open && text.slice(end).trim() === '';
    if (labels === '' || (uses.get(labels) ?? 0) < 2 || asks) return { kind: 'paragraph', label: snippet(paragraph), start, end };
    examples += 1;
    return { kind: 'example', label: `example ${examples}`, start, end };
  });
}

function labelsOf(paragraph: string): { readonly labels: string; readonly open: boolean } {
  const lines = [...paragraph.matchAll(labelledLine)];
  if (lines.length < 2) return { labels: '', open: false };
  return { labels: lines.map((line) => line[1]).join('\n'), open: lines.at(-1)?.[2]?.trim() === '' };
}

/** The first words of a section, short enough for a list. */
export function snippet(text: string): string {
  const line =
    text
      .trimStart()
      .split(/[\r\n]/u, 1)[0]
      ?.trimEnd() ?? '';
  const characters = Array.from(line.slice(0, 120));
  return characters.length <= 40 ? characters.join('') : `${characters.slice(0, 39).join('').trimEnd()}…`;
}
