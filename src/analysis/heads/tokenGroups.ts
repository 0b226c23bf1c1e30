import { indexSections, sectionsAt } from '../../shared/sectionIndex.ts';
import type { Granularity } from '../../shared/tokens.ts';
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
  const index = indexSections(sections);
  return {
    ids,
    words: groupsOf('word'),
    sentences: groupsOf('sentence'),
    sections: groupsOf('section'),
    headings: Int8Array.from(tokens, ({ start, end }) =>
      end > start && sectionsAt(index, end - 1).some(({ kind }) => kind === 'heading') ? 1 : 0,
    ),
  };
}
