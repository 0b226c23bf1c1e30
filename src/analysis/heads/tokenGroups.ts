import type { Granularity, TextRange } from '../../shared/tokens.ts';
import { buildUnits } from '../../shared/units.ts';
import type { ToolPrompt } from '../tools/tool.ts';
import type { TokenGroups } from './patternStatistics.ts';

/** Words, sentences, sections and headings of a prompt, by token. */
export function tokenGroups({ text, tokens, ids, sections, templateRanges }: ToolPrompt): TokenGroups {
  const groupsOf = (granularity: Granularity): Int32Array => {
    const groups = new Int32Array(tokens.length);
    buildUnits(text, tokens, granularity, { sections, templateRanges }).forEach((unit, index) => {
      for (const token of unit.tokens) groups[token] = index;
    });
    return groups;
  };
  const headings = sections.filter(({ kind }) => kind === 'heading').map(({ start }) => lineFrom(text, start));
  return {
    ids,
    words: groupsOf('word'),
    sentences: groupsOf('sentence'),
    sections: groupsOf('section'),
    headings: Int8Array.from(tokens, ({ start, end }) =>
      headings.some((heading) => Math.min(end, heading.end) > Math.max(start, heading.start)) ? 1 : 0,
    ),
  };
}

/** A section of a heading holds all that follows it; the heading itself is its first line. */
function lineFrom(text: string, start: number): TextRange {
  const length = /^[^\r\n]*/u.exec(text.slice(start))?.[0].length ?? 0;
  return { start, end: start + length };
}
