/** Sections of Markdown: its blocks. Inline marks are not read; they never make a section. */
import type { BlockContent, DefinitionContent, ListItem, Root, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Section, TextRange } from '../shared/tokens.ts';
import { nameParagraphs, snippet, textSections } from './textSections.ts';

/** Everything but blocks is switched off: it would only cost time, and some of it costs quadratic time on hostile text. */
const blocksOnly = {
  disable: {
    null: [
      'attention',
      'autolink',
      'characterEscape',
      'characterReference',
      'codeText',
      'definition',
      'hardBreakEscape',
      'htmlText',
      'labelEnd',
      'labelStartImage',
      'labelStartLink',
    ],
  },
};
const deeplyNested = /^(?:[ \t]*(?:>|[*+-][ \t]|\d+[.)][ \t])){30,}/mu;
/** Beyond this the blocks of one document say little, and parsing them takes seconds. */
const linesAtMost = 10_000;

/**
 * Headings hold what follows them up to the next heading of the same or a higher level; list items nest; a quote, a code block and
 * a table are one section each. Paragraphs are named as in plain text.
 */
export function markdownSections(text: string): Section[] {
  if (deeplyNested.test(text) || text.split('\n', linesAtMost + 1).length > linesAtMost) return textSections(text);
  // The parser drops a byte-order mark and counts from after it.
  const root = fromMarkdown(text.replace(/^\uFEFF/u, ' '), { extensions: [blocksOnly] });
  return [...headingSections(text, root), ...blockSections(text, root.children)].sort(
    (a, b) => a.start - b.start || b.end - a.end,
  );
}

function headingSections(text: string, root: Root): Section[] {
  const closed: Section[] = [];
  const open: { readonly depth: number; readonly start: number; readonly label: string }[] = [];
  let end = 0;
  const close = (depth: number): void => {
    while ((open.at(-1)?.depth ?? 0) >= depth) {
      const { start, label } = open.pop() ?? { start: 0, label: '' };
      closed.push({ kind: 'heading', label, start, end });
    }
  };
  for (const node of root.children) {
    const range = rangeOf(node);
    if (node.type === 'heading') {
      close(node.depth);
      const label = snippet(text.slice(range.start, range.end).replace(/^[ \t#]+/u, ''));
      open.push({ depth: node.depth, start: range.start, label });
    }
    end = range.end;
  }
  close(1);
  return closed;
}

type Block = RootContent | BlockContent | DefinitionContent;

function blockSections(text: string, blocks: readonly Block[]): Section[] {
  const paragraphs: TextRange[] = [];
  const sections: Section[] = [];
  for (const block of blocks) {
    const range = rangeOf(block);
    if (block.type === 'list') sections.push(...block.children.flatMap((item) => itemSections(text, item)));
    else if (block.type === 'blockquote') {
      sections.push({ kind: 'quote', label: snippet(text.slice(range.start, range.end).replace(/^[> \t]+/u, '')), ...range });
      sections.push(...innerSections(text, block.children));
    } else if (block.type === 'code')
      sections.push({ kind: 'code', label: block.lang ? `code ${block.lang}` : 'code', ...range });
    else if (block.type === 'paragraph' || block.type === 'html') {
      const paragraph = text.slice(range.start, range.end);
      if (isTable(paragraph)) sections.push({ kind: 'table', label: snippet(paragraph), ...range });
      else paragraphs.push(range);
    }
  }
  return [...sections, ...nameParagraphs(text, paragraphs)];
}

/** A row of cells, and under it a row of dashes. */
function isTable(paragraph: string): boolean {
  const [head = '', rule = ''] = paragraph.split(/\r\n|\r|\n/u, 2);
  return head.includes('|') && rule.includes('|') && rule.includes('-') && /^[ \t|:-]+$/u.test(rule);
}

function itemSections(text: string, item: ListItem): Section[] {
  const range = rangeOf(item);
  const label = snippet(text.slice(range.start, range.end).replace(/^(?:[*+-]|\d+[.)])[ \t]*/u, ''));
  return [{ kind: 'list-item', label, ...range }, ...innerSections(text, item.children)];
}

/** Inside an item or a quote, a paragraph is the item itself; what is a section of its own is a list or a code block. */
function innerSections(text: string, blocks: readonly Block[]): Section[] {
  return blockSections(
    text,
    blocks.filter((block) => block.type !== 'paragraph' && block.type !== 'html'),
  );
}

function rangeOf(node: Block): TextRange {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}
